class Report: pass
def check(): pass
