// gorpc calls a cluster peer as a Go peer does, with go-libp2p-gorpc, and prints what it saw as JSON lines:
//
//	{"call":"Cluster.Version","ok":true,"value":{…}}
//
// Usage: gorpc -secret HEX -peer /ip4/127.0.0.1/tcp/PORT/p2p/ID [-cid CID] [-timeout 30s]
//
// The exit status is 0 when every call was answered as a peer must answer it: a closed method by a refusal, a
// wrong call by its error, the others by a value.
package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p"
	rpc "github.com/libp2p/go-libp2p-gorpc"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/pnet"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"
	mh "github.com/multiformats/go-multihash"
)

const rpcProtocol = "/ipfscluster/1.0/rpc"

type line struct {
	Call  string `json:"call"`
	OK    bool   `json:"ok"`
	Value any    `json:"value,omitempty"`
	Error string `json:"error,omitempty"`
}

func newHost(secret string) (host.Host, error) {
	options := []libp2p.Option{
		libp2p.NoListenAddrs,
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Security(noise.ID, noise.New),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.DisableRelay(),
	}
	if secret != "" {
		key, err := hex.DecodeString(secret)
		if err != nil || len(key) != 32 {
			return nil, errors.New("the secret is not 32 bytes of hexadecimal text")
		}
		options = append(options, libp2p.PrivateNetwork(pnet.PSK(key)))
	}
	return libp2p.New(options...)
}

// check is one call and what its answer must be.
type check struct {
	name string
	run  func(ctx context.Context) (any, error)
	// refused: the peer must deny it.
	refused bool
	// failure: the peer must answer with this error of the method itself.
	failure string
}

// asExpected tells whether err is what the peer must answer.
func (c check) asExpected(err error) bool {
	switch {
	case c.refused:
		return err != nil && rpc.IsAuthorizationError(err)
	case c.failure != "":
		return err != nil && err.Error() == c.failure && !rpc.IsRPCError(err)
	default:
		return err == nil
	}
}

func sampleBlock(text string) (NodeWithMeta, error) {
	hash, err := mh.Sum([]byte(text), mh.SHA2_256, -1)
	if err != nil {
		return NodeWithMeta{}, err
	}
	return NodeWithMeta{Data: []byte(text), Cid: WireCid{cid.NewCidV1(cid.Raw, hash)}, CumSize: uint64(len(text))}, nil
}

func checks(client *rpc.Client, dest peer.ID, item WireCid) []check {
	unary := func(service, method string, args, reply any) func(context.Context) (any, error) {
		return func(ctx context.Context) (any, error) {
			err := client.CallContext(ctx, dest, service, method, args, reply)
			return reply, err
		}
	}
	return []check{
		{name: "Cluster.Version", run: unary("Cluster", "Version", struct{}{}, &Version{})},
		{name: "Cluster.ID", run: unary("Cluster", "ID", struct{}{}, &ID{})},
		{name: "Cluster.IDStream", run: func(ctx context.Context) (any, error) {
			args := make(chan struct{})
			close(args)
			return collect[ID](ctx, func(out chan ID) error {
				return client.Stream(ctx, dest, "Cluster", "IDStream", args, out)
			})
		}},
		{name: "PinTracker.Status", run: unary("PinTracker", "Status", item, &PinInfo{})},
		{name: "PinTracker.StatusAll", run: func(ctx context.Context) (any, error) {
			args := make(chan int, 1)
			args <- 0
			close(args)
			return collect[PinInfo](ctx, func(out chan PinInfo) error {
				return client.Stream(ctx, dest, "PinTracker", "StatusAll", args, out)
			})
		}},
		{name: "IPFSConnector.BlockStream", run: func(ctx context.Context) (any, error) {
			args := make(chan NodeWithMeta, 8)
			for i := 0; i < 8; i++ {
				block, err := sampleBlock(fmt.Sprintf("block %d", i))
				if err != nil {
					return nil, err
				}
				args <- block
			}
			close(args)
			return collect[struct{}](ctx, func(out chan struct{}) error {
				return client.Stream(ctx, dest, "IPFSConnector", "BlockStream", args, out)
			})
		}},
		{name: "IPFSConnector.BlockStream (no blocks)", failure: "BlockStream: no blocks to peek in blocks channel",
			run: func(ctx context.Context) (any, error) {
				args := make(chan NodeWithMeta)
				close(args)
				return collect[struct{}](ctx, func(out chan struct{}) error {
					return client.Stream(ctx, dest, "IPFSConnector", "BlockStream", args, out)
				})
			}},
		{name: "Cluster.Pins (closed)", refused: true, run: func(ctx context.Context) (any, error) {
			args := make(chan struct{})
			close(args)
			return collect[Pin](ctx, func(out chan Pin) error {
				return client.Stream(ctx, dest, "Cluster", "Pins", args, out)
			})
		}},
		{name: "Cluster.Pin (closed)", refused: true,
			run: unary("Cluster", "Pin", Pin{Cid: item, Type: 2, MaxDepth: -1}, &Pin{})},
	}
}

// collect gathers what a streaming call puts into its channel.
func collect[T any](ctx context.Context, call func(chan T) error) (any, error) {
	out := make(chan T, 64)
	done := make(chan error, 1)
	go func() { done <- call(out) }()
	items := []T{}
	for {
		select {
		case item, more := <-out:
			if !more {
				return items, <-done
			}
			items = append(items, item)
		case <-ctx.Done():
			return items, ctx.Err()
		}
	}
}

func run() error {
	secret := flag.String("secret", "", "cluster secret, hexadecimal")
	address := flag.String("peer", "", "address of the peer, with /p2p/ID")
	item := flag.String("cid", "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e", "CID to ask about")
	timeout := flag.Duration("timeout", 30*time.Second, "limit of each call")
	flag.Parse()

	target, err := ma.NewMultiaddr(*address)
	if err != nil {
		return fmt.Errorf("-peer: %w", err)
	}
	info, err := peer.AddrInfoFromP2pAddr(target)
	if err != nil {
		return fmt.Errorf("-peer: %w", err)
	}
	asked, err := cid.Decode(*item)
	if err != nil {
		return fmt.Errorf("-cid: %w", err)
	}
	h, err := newHost(*secret)
	if err != nil {
		return err
	}
	defer h.Close()
	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()
	if err := h.Connect(ctx, *info); err != nil {
		return fmt.Errorf("connecting: %w", err)
	}

	client := rpc.NewClient(h, rpcProtocol)
	out := json.NewEncoder(os.Stdout)
	failed := 0
	for _, c := range checks(client, info.ID, WireCid{asked}) {
		callCtx, cancelCall := context.WithTimeout(context.Background(), *timeout)
		value, err := c.run(callCtx)
		cancelCall()
		l := line{Call: c.name, OK: c.asExpected(err)}
		if err == nil {
			l.Value = value
		} else {
			l.Error = err.Error()
		}
		if !l.OK {
			failed++
		}
		if err := out.Encode(l); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d calls were not answered as they must be", failed)
	}
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "gorpc:", err)
		os.Exit(1)
	}
}
