# Variant calling: align each sample, call variants per chromosome, join. Tools insist on file names, so `named`.

task align {
  in  reads: file named "reads.fastq.gz"
  in  reference: file named "ref.fa"
  in  sample: string
  out bam: file named "aligned.bam"
  image = "quay.io/biocontainers/bwa-samtools:1.17"
  resources { cpu = 8; memory = 16Gi; disk = 100Gi }
  retry { limit = 3; on = [137, 143] }
  shell = bash
  run = """
    bwa mem -t 8 -R "@RG\tID:$sample\tSM:$sample" "$reference" "$reads" | samtools sort -o "$bam" -
  """
}

task call {
  in  bams: list<file> named "*.bam"
  in  reference: file named "ref.fa"
  in  chromosome: string
  out vcf: file named "calls.vcf.gz"
  image = "quay.io/biocontainers/bcftools:1.20"
  resources { cpu = 2; memory = 8Gi }
  run = """
    for b in "$bams"/*.bam; do samtools index "$b"; done
    bcftools mpileup -r "$chromosome" -f "$reference" "$bams"/*.bam | bcftools call -mv -Oz -o "$vcf"
  """
}

workflow genomics {
  doc = "From reads to one VCF."

  param reference: file = "s3://acme-genomes/hg38/ref.fa"

  let samples = [
    { name = "NA12878", reads = "s3://acme-genomes/runs/NA12878.fastq.gz" },
    { name = "NA12891", reads = "s3://acme-genomes/runs/NA12891.fastq.gz" },
    { name = "NA12892", reads = "s3://acme-genomes/runs/NA12892.fastq.gz" },
  ]

  for s in samples {
    step aligned = align(reads = s.reads, reference = reference, sample = s.name)
  }

  for c in ["chr1", "chr2", "chr3", "chrX"] {
    max_parallel = 2
    step called = call(bams = aligned.bam, reference = reference, chromosome = c)
  }

  step concat {
    in  parts: list<file> named "*.vcf.gz" = called.vcf
    out all: file named "all.vcf.gz"
    image = "quay.io/biocontainers/bcftools:1.20"
    run = """bcftools concat -Oz -o "$all" "$parts"/*.vcf.gz"""
  }

  out vcf = concat.all
}
