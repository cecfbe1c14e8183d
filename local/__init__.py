"""The local cloud: everything `make up` starts on one machine, deployed from the same templates as AWS."""
