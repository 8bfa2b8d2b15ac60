"""The sections of a document: `blocks` in the module of each is a function of an example.

- `backward`: Backpropagation through time: what a bar means, the rules, the way back drawn, and its steps
- `backward_mistakes`: Common slips, and the number that each would give: the same sweep with one rule swapped
- `backward_reasons`: The rules of backpropagation as a table, and why a step is as it is
- `backward_stages`: The way back in stages: which adjoints belong together, and in which order they are explained
- `backward_steps`: The steps of backpropagation: what each undoes, by which rule, and why
- `check`: The comparison with Keras as a table of a document
- `closed`: The closed form: every equation put into the next one
- `contributions_plot`: The plot of how large each time step's contribution to the gradients is
- `forward`: The forward equations with their labels
- `forward_mistakes`: Common slips in the forward pass, and the output that each would give
- `general`: The derivation for a general t and rows of samples, and the reasons for its form
- `gradients`: The gradients with their numbers: by time step, in all, and which steps matter
- `letters`: The letters of other texts and frameworks, beside those here
- `mistakes`: Common slips, in the forward pass and on the way back, each with the number that it would give
- `model`: The model as a table: layer, symbol, Keras weight, shape, number of parameters
- `picture`: The network drawn: rolled up where it has states, and unrolled
- `plot_tikz`: A plot as TikZ: matplotlib's axes, with their ticks and lines where they are, drawn anew
- `summary`: The first lines of a document: what it is about, and what it answers, so that a reader may stop anywhere
- `table`: The sections of a document, in a reader's order, each a function of its example
- `timetable`: What happens at each time step as a table: what is read, the adjoints, the terms of each sum over t
- `worked`: The forward pass on paper: each formula, the same with numbers put in, the result
"""
