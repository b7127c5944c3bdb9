# Concatenate VCF files of chromosomes.
# kind: merge
# tags: vcf bcftools concat genomics merge chromosomes

task merge_vcf {
  in  parts: list<file> named "*.vcf.gz"
  out merged: file named "all.vcf.gz"
  image = "quay.io/biocontainers/bcftools:1.20"
  run   = """bcftools concat -Oz -o "$merged" "$parts"/*.vcf.gz"""
}

workflow use_merge_vcf {
  defaults { image = "python:3.12-slim" }
  step make { out data: file; run = """printf 'x,label\n1,0\n' > "$data" """ }
  step one = merge_vcf(parts = [make.data])
}
