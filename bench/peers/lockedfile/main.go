// argv: a path. For each line `times`: microseconds of a lock + release of Go's lockedfile.Mutex, over so many in a row.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"
)

func main() {
	mutex := lockedfile.MutexAt(os.Args[1])
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		times, err := strconv.Atoi(lines.Text())
		if err != nil {
			panic(err)
		}
		started := time.Now()
		for range times {
			unlock, err := mutex.Lock()
			if err != nil {
				panic(err)
			}
			unlock()
		}
		fmt.Println(float64(time.Since(started).Nanoseconds()) / 1e3 / float64(times))
	}
}
