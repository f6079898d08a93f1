"""What the demo opens with: competitions, prompts, photographs, and real votes from elsewhere."""
