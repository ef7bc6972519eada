module cachelatch/bench/lockedfile

go 1.22

require github.com/rogpeppe/go-internal v1.13.1
