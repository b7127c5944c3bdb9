# A table as a small HTML page.
# kind: report
# tags: html report page table summary

task report_html {
  in  data: file
  out report: file named "report.html"
  shell = python3
  run = """
    import csv, html, os
    rows = list(csv.reader(open(os.environ["data"])))
    with open(os.environ["report"], "w") as f:
        f.write("<table>")
        for r in rows[:1000]:
            f.write("<tr>" + "".join("<td>%s</td>" % html.escape(c) for c in r) + "</tr>")
        f.write("</table>")
  """
}

workflow use_report_html {
  defaults { image = "python:3.12-slim" }
  step make { out data: file; run = """printf 'x,label\n1,0\n' > "$data" """ }
  step one = report_html(data = make.data)
}
