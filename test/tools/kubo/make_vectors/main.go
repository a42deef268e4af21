// Makes the CID vectors of test/data/cid: for each case of a case file it writes the described input
// to a temporary folder, adds it with a real Kubo and prints the case with what Kubo answered.
//
//	make_vectors IPFS < cases.txt > vectors.txt
//
// The form of both files is described in test/data/cid/README.md.
package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// contentReader yields the splitmix64 sequence of a seed as little endian words.
type contentReader struct {
	state uint64
	left  int64
	word  [8]byte
	used  int
}

func newContent(seed uint64, length int64) *contentReader {
	return &contentReader{state: seed, left: length, used: 8}
}

func (c *contentReader) Read(out []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	n := 0
	for n < len(out) && c.left > 0 {
		if c.used == 8 {
			c.state += 0x9e3779b97f4a7c15
			z := c.state
			z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
			z = (z ^ (z >> 27)) * 0x94d049bb133111eb
			binary.LittleEndian.PutUint64(c.word[:], z^(z>>31))
			c.used = 0
		}
		out[n] = c.word[c.used]
		c.used++
		n++
		c.left--
	}
	return n, nil
}

type zeroReader struct{}

func (zeroReader) Read(out []byte) (int, error) {
	clear(out)
	return len(out), nil
}

func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	check(err, text)
	return n
}

func check(err error, what string) {
	if err != nil {
		log.Fatalf("%s: %v", what, err)
	}
}

func writeFile(path string, content io.Reader) {
	check(os.MkdirAll(filepath.Dir(path), 0o755), path)
	file, err := os.Create(path)
	check(err, path)
	_, err = io.Copy(file, content)
	check(err, path)
	check(file.Close(), path)
}

func writeItem(root, item string) {
	name, spec, found := strings.Cut(item, "=")
	if !found {
		log.Fatalf("item without '=': %s", item)
	}
	path := filepath.Join(root, name)
	parts := strings.Split(spec, ":")
	switch parts[0] {
	case "f":
		writeFile(path, newContent(uint64(number(parts[1])), number(parts[2])))
	case "z":
		writeFile(path, io.LimitReader(zeroReader{}, number(parts[1])))
	case "l":
		check(os.MkdirAll(filepath.Dir(path), 0o755), path)
		check(os.Symlink(parts[1], path), path)
	case "d":
		check(os.MkdirAll(path, 0o755), path)
	case "n":
		for i := int64(0); i < number(parts[1]); i++ {
			writeFile(filepath.Join(path, fmt.Sprintf("entry-%06d", i)),
				newContent(uint64(i), number(parts[2])))
		}
	default:
		log.Fatalf("unknown item: %s", item)
	}
}

type kubo struct{ program, repo string }

func (k kubo) run(dir string, args ...string) string {
	var out, errors bytes.Buffer
	command := exec.Command(k.program, args...)
	command.Dir = dir
	command.Env = append(os.Environ(), "IPFS_PATH="+k.repo)
	command.Stdout, command.Stderr = &out, &errors
	if err := command.Run(); err != nil {
		log.Fatalf("ipfs %s: %v: %s", strings.Join(args, " "), err, errors.String())
	}
	return out.String()
}

func (k kubo) answer(items, options string) string {
	dir, err := os.MkdirTemp("", "vectors")
	check(err, "temporary folder")
	defer os.RemoveAll(dir)
	for _, item := range strings.Split(items, ";") {
		writeItem(dir, item)
	}
	entries, err := os.ReadDir(dir)
	check(err, dir)
	if len(entries) != 1 {
		log.Fatalf("a case has one top entry: %s", items)
	}
	args := append([]string{"--offline", "add", "-r", "-H", "--pin=false", "--progress=false"},
		strings.Fields(options)...)
	printed := k.run(dir, append(args, entries[0].Name())...)

	// "added CID NAME" becomes "CID NAME"; the root comes last.
	digest := sha256.New()
	root := ""
	for _, line := range strings.Split(strings.TrimSuffix(printed, "\n"), "\n") {
		rest := strings.TrimPrefix(line, "added ")
		root, _, _ = strings.Cut(rest, " ")
		digest.Write([]byte(strings.TrimRight(rest, " ") + "\n"))
	}
	size := strings.TrimSpace(k.run(dir, "--offline", "files", "stat", "--format=<cumulsize>", "/ipfs/"+root))
	return root + " " + size + " " + hex.EncodeToString(digest.Sum(nil))
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: make_vectors IPFS < cases.txt > vectors.txt")
	}
	repo, err := os.MkdirTemp("", "vectors-repo")
	check(err, "temporary folder")
	defer os.RemoveAll(repo)
	node := kubo{os.Args[1], repo}
	node.run(repo, "init", "--empty-repo")

	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			fmt.Println(line)
			continue
		}
		items, options, _ := strings.Cut(line, " ")
		fmt.Printf("%s | %s | %s\n", items, options, node.answer(items, options))
	}
	check(lines.Err(), "standard input")
}
