package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Each kept history by its name: right_… must be explained, wrong_… must not, unreadable_… must be refused.
func TestKeptHistories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	wanted := map[string]int{"right": 0, "wrong": 1, "unreadable": 2}
	for _, name := range files {
		kind, _, _ := strings.Cut(filepath.Base(name), "_")
		want, known := wanted[kind]
		if !known {
			t.Fatalf("%s: what should come of it?", name)
		}
		seen[kind]++
		t.Run(filepath.Base(name), func(t *testing.T) {
			file, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			var said bytes.Buffer
			if got := run(file, &said, time.Minute, ""); got != want {
				t.Errorf("status %d, expected %d:\n%s", got, want, said.String())
			}
		})
	}
	for kind := range wanted {
		if seen[kind] == 0 {
			t.Errorf("no history is %s", kind)
		}
	}
}

// One call taken out of a right history, or one answer changed, must be noticed.
func TestDamagedHistoriesAreNoticed(t *testing.T) {
	whole, err := os.ReadFile("testdata/right_all_calls.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for _, damage := range [][2]string{
		{`"found":"n4"`, `"found":"n3"`},
		{`"op":"unpin","name":"","found":""`, `"op":"unpin","name":"","found":"n1"`},
		{`"op":"pin","name":"n5"`, `"op":"pin","name":"n6"`},
	} {
		if !bytes.Contains(whole, []byte(damage[0])) {
			t.Fatalf("the history has no %s", damage[0])
		}
		var said bytes.Buffer
		if got := run(bytes.NewReader(bytes.Replace(whole, []byte(damage[0]), []byte(damage[1]), 1)), &said, time.Minute, ""); got != 1 {
			t.Errorf("%s instead of %s: status %d: %s", damage[1], damage[0], got, said.String())
		}
	}
}
