"""The formats of a document: `files` in the module of each is a function of an article.

- `files`: Files that are written whole or not at all, and what every format gives: the files of an article
- `html`: A document as one web page: HTML with MathML and pictures in it, no script, nothing from elsewhere
- `latex`: Documents as LaTeX: a standalone article, or sections for one's own
- `markdown`: Documents as Markdown, in the dialects of GitHub and of Jupyter and pandoc
- `model_code`: Models as code: Python source that builds a model again with symrnn's classes
- `notebook`: Documents as Jupyter notebooks, which have been run and can be run again
- `pandoc`: Documents as reStructuredText and for word processors, by pandoc
- `pdf`: LaTeX as a PDF, by pdflatex: in a folder of its own, without a shell, and the same bytes each time
- `table`: The formats of documents, by the ending of the file
- `text`: Documents as text for a terminal
"""
