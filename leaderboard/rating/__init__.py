"""From counts of votes to numbers and sentences. Pure: numpy, no Django, no database.

elo           ratings: the Bradley–Terry fit on the Elo scale, its errors, its anchor, and the left image's advantage
likelihood    what `elo` maximises: where it has a maximum, and how it curves
ways          voters and prompts as clusters: what each adds to the errors, from a sample where there are many votes
clusters      the cluster-robust covariance
student       Student's t where voters or prompts are few
intervals     from a fit to a board: intervals, effective numbers, provisional, usable or settled, votes to flip
ranks         rank intervals, tiers, the chance of being best, votes that separate two models
place         a rank with its bounds, as every output shows it
personal      one voter's own ratings
drift         whether a hosted model changed behind its name
parity        whether one model is the same through two providers
shares        intervals of shares of votes
methods       the same votes by win rate, running Elo and Bradley–Terry
reproduction  a snapshot computed again by nothing but its cells
verdict       which sentence about a board, model, pair or choice the votes support
board_words   its sentences about boards
model_words   … about models
pair_words    … about two models
choice_words  … about “Which for me?”
number_words  numbers and lists in them
"""
