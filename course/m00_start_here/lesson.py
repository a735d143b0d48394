# %% [markdown]
# # Start here
# This is a workbook about monitoring. Each module starts real servers on this machine, asks them questions with you, and
# stops them again. You may change any cell: these notebooks are your own copies.
#
# Run a cell with Shift+Enter. A guess comes before each look: put yours in place of the three dots.

# %% setup
from monlab import course, stack

# %% [markdown]
# ## The modules
# Open a module that is *ready* from the folder on the left. Times are for a calm sitting, reading included.

# %%
course.modules_table()

# %% [markdown]
# ## What this machine can do
# A server that is not here yet is fetched or built when a module first needs it. Building Prometheus from source takes about
# three minutes on two cores, once.

# %%
course.this_machine()

# %% [markdown]
# ## What runs now
# Servers go on running when you close a notebook or this page. `stack.down()` ends them, and so does `./lab down` in a
# terminal.

# %%
stack.status()
