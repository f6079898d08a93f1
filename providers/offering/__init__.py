"""What an offering's data means: values in, values out. Pure: no Django.

parameters     what `Offering.parameters` may say
normalisation  from a request to a provider's call: passed through, renamed, converted or emulated
sizing         from a requested size to the nearest that is supported
masks          masks of edits
fit            what of a request an offering cannot do
reference      what it takes, line by line, for people and programs
native         parameters in a provider's own words that multiply what it bills
pricing        what one image costs
"""
