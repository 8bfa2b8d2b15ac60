"""Programs as LaTeX, text and MathML. Imports `programs` and what is below.

All packages but `models` and those below may import it.

- `escapes`: text as LaTeX
- `styles`: the signs of LaTeX and of a terminal
- `expressions`: one expression
- `cases`: functions by cases
- `equations`: a program, line by line
- `layout`: lines broken and aligned
- `widths`: how wide a formula is set
- `substitution`: formulas with numbers put in
- `mathml`: LaTeX as MathML
- `mathml_spacing`: TeX's spaces in MathML
"""
