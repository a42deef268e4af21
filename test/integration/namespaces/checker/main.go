// Checker reads the history of a test, one call as JSON on each line, and tells whether one order of the calls about each CID exists
// in which every call takes effect at one moment and every answer is right (linearizability, decided by Porcupine).
//
// A call: {"cid", "op", "name", "found", "outcome", "begin", "end", "peer", "life", "client"}.
//
//	op "pin"    writes the pin `name`; outcome "done" or "unknown"
//	op "unpin"  removes what stands; `found` is the name of what it removed, "" when it was told that nothing stood
//	op "read"   a strong answer: `found` stood at some moment of the call
//	op "look"   the answer of one peer from what it has applied: see `lookBegins`
//
// A call of outcome "unknown" took effect at some moment after its begin, however late, or never.
// Exit status: 0 explained, 1 not, 2 the history cannot be read or could not be decided in time.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"sort"
	"time"

	"github.com/anishathalye/porcupine"
)

// Call is one line of a history. Times are nanoseconds of any clock that all calls share.
type Call struct {
	Cid     string `json:"cid"`
	Op      string `json:"op"`
	Name    string `json:"name"`
	Found   string `json:"found"`
	Outcome string `json:"outcome"`
	Begin   int64  `json:"begin"`
	End     int64  `json:"end"`
	Peer    string `json:"peer"`
	Life    int    `json:"life"` // how often the peer's process was started before
	Client  int    `json:"client"`
}

func (c Call) check() error {
	switch {
	case c.Cid == "":
		return fmt.Errorf("no cid")
	case c.Outcome != "done" && c.Outcome != "unknown":
		return fmt.Errorf("outcome %q", c.Outcome)
	case c.Op == "pin" && c.Name == "":
		return fmt.Errorf("a pin without a name")
	case c.Op != "pin" && c.Op != "unpin" && c.Op != "read" && c.Op != "look":
		return fmt.Errorf("op %q", c.Op)
	case c.Outcome == "unknown" && (c.Op == "read" || c.Op == "look"):
		return fmt.Errorf("a read without an answer")
	case c.Outcome == "done" && c.End < c.Begin:
		return fmt.Errorf("ends before it begins")
	}
	return nil
}

func readCalls(in io.Reader) ([]Call, error) {
	var calls []Call
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for number := 1; lines.Scan(); number++ {
		var call Call
		if err := json.Unmarshal(lines.Bytes(), &call); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if err := call.check(); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		calls = append(calls, call)
	}
	return calls, lines.Err()
}

// lookBegins gives each look the earliest moment of which it may tell. A peer answers from what it has applied: that may be old, but
// not older than anything it acknowledged before in the same life, and that took effect after its call had begun.
func lookBegins(calls []Call) []int64 {
	type life struct {
		peer string
		life int
	}
	order := map[life][]int{} // acknowledged pins and unpins by end
	for i, c := range calls {
		if c.Outcome == "done" && (c.Op == "pin" || c.Op == "unpin") {
			order[life{c.Peer, c.Life}] = append(order[life{c.Peer, c.Life}], i)
		}
	}
	latest := map[life][]int64{} // the latest begin of those up to each
	for l, list := range order {
		sort.Slice(list, func(a, b int) bool { return calls[list[a]].End < calls[list[b]].End })
		newest := int64(math.MinInt64)
		for _, i := range list {
			newest = max(newest, calls[i].Begin)
			latest[l] = append(latest[l], newest)
		}
	}
	begins := make([]int64, len(calls))
	for i, c := range calls {
		begins[i] = c.Begin
		if c.Op != "look" {
			continue
		}
		l := life{c.Peer, c.Life}
		before := sort.Search(len(order[l]), func(n int) bool { return calls[order[l][n]].End >= c.Begin })
		begins[i] = math.MinInt64
		if before > 0 {
			begins[i] = latest[l][before-1]
		}
	}
	return begins
}

// pinset is what one CID may do: its state is the name of the pin that stands, "" for none.
var pinset = porcupine.Model{
	Init: func() interface{} { return "" },
	Step: func(state, input, _ interface{}) (bool, interface{}) {
		call := input.(Call)
		switch call.Op {
		case "pin":
			return true, call.Name
		case "unpin":
			// An unknown one counts at the latest after everything else: that is as if never.
			return call.Outcome == "unknown" || state == call.Found, ""
		default:
			return state == call.Found, state
		}
	},
	DescribeOperation: func(input, _ interface{}) string {
		call := input.(Call)
		return fmt.Sprintf("%s %s%s (%s through %s)", call.Op, call.Name, call.Found, call.Outcome, call.Peer)
	},
}

func operations(calls []Call) map[string][]porcupine.Operation {
	begins := lookBegins(calls)
	out := map[string][]porcupine.Operation{}
	for i, c := range calls {
		end := c.End
		if c.Outcome == "unknown" {
			end = math.MaxInt64
		}
		out[c.Cid] = append(out[c.Cid], porcupine.Operation{ClientId: c.Client, Input: c, Call: begins[i], Return: end})
	}
	return out
}

// show tells the calls about a CID in the order in which they began.
func show(out io.Writer, cid string, list []porcupine.Operation, first int64) {
	sort.Slice(list, func(a, b int) bool { return list[a].Input.(Call).Begin < list[b].Input.(Call).Begin })
	fmt.Fprintf(out, "no order explains the calls about %s:\n", cid)
	for _, o := range list {
		c := o.Input.(Call)
		fmt.Fprintf(out, "  %9.3f … %9.3f s  %-5s %-8s pins %-12q found %-12q through %s, life %d\n", float64(c.Begin-first)/1e9,
			float64(c.End-first)/1e9, c.Op, c.Outcome, c.Name, c.Found, c.Peer, c.Life)
	}
}

// run judges one history and returns the exit status.
func run(in io.Reader, out io.Writer, limit time.Duration, picture string) int {
	calls, err := readCalls(in)
	if err != nil {
		fmt.Fprintln(out, err)
		return 2
	}
	if len(calls) == 0 {
		fmt.Fprintln(out, "an empty history proves nothing")
		return 2
	}
	first := calls[0].Begin
	for _, c := range calls {
		first = min(first, c.Begin)
	}
	status := 0
	cids := operations(calls)
	for cid, list := range cids {
		result, info := porcupine.CheckOperationsVerbose(pinset, list, limit)
		switch result {
		case porcupine.Ok:
			continue
		case porcupine.Unknown:
			fmt.Fprintf(out, "the %d calls about %s could not be decided within %s\n", len(list), cid, limit)
			status = max(status, 2)
		case porcupine.Illegal:
			show(out, cid, list, first)
			status = 1
			if picture != "" {
				if err := porcupine.VisualizePath(pinset, info, picture); err != nil {
					fmt.Fprintln(out, err)
				}
			}
		}
		if status == 1 {
			break
		}
	}
	if status == 0 {
		fmt.Fprintf(out, "%d calls about %d CIDs are explained\n", len(calls), len(cids))
	}
	return status
}

func main() {
	limit := flag.Duration("limit", 2*time.Minute, "longest time for one CID")
	picture := flag.String("picture", "", "where to draw the calls that nothing explains (HTML)")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: checker [-limit D] [-picture FILE] HISTORY")
		os.Exit(2)
	}
	file, err := os.Open(flag.Arg(0))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	defer file.Close()
	os.Exit(run(file, os.Stdout, *limit, *picture))
}
