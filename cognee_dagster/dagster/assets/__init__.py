"""What a code location loads: the definitions of assets and checks."""
