"""The network drawn. Imports `models`, `typesetting` and what is below.

`documents`, `interface`, `cli` and `sphinxext` may import it.

- `picture`: a picture with its caption
- `lanes`: a lane for each quantity, and links
- `columns`: steps in columns
- `placement`: where nodes go
- `routing`: arrows and their labels
- `forward_pass`: the network drawn
- `backward_pass`: the way back drawn
- `captions`: captions and alternative texts
- `labels`: lines of letters, measured
- `geometry`: points and curves
- `drawing`: a drawing as a value
- `svg`: as SVG
- `tikz`: as TikZ
"""
