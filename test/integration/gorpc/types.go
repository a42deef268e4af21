package main

import (
	"encoding/json"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// The structs of the wire with the keys of docs/rpc.md. Identifiers are byte strings there. They are exported because
// gorpc wants it.

// WireCid is nil on the wire when undefined.
type WireCid struct{ cid.Cid }

func (c WireCid) MarshalBinary() ([]byte, error) {
	if !c.Defined() {
		return nil, nil
	}
	return c.Bytes(), nil
}

func (c *WireCid) UnmarshalBinary(data []byte) error {
	_, parsed, err := cid.CidFromBytes(data)
	if err == nil {
		c.Cid = parsed
	}
	return err
}

func (c WireCid) MarshalJSON() ([]byte, error) { return json.Marshal(c.String()) }

// WireAddr is a multiaddress in binary form.
type WireAddr struct{ ma.Multiaddr }

func (a WireAddr) MarshalBinary() ([]byte, error) { return a.Bytes(), nil }

func (a *WireAddr) UnmarshalBinary(data []byte) error {
	parsed, err := ma.NewMultiaddrBytes(data)
	if err == nil {
		a.Multiaddr = parsed
	}
	return err
}

func (a WireAddr) MarshalJSON() ([]byte, error) { return json.Marshal(a.String()) }

type Version struct {
	Version string `codec:"v" json:"version"`
}

type IPFSID struct {
	ID        peer.ID    `codec:"i,omitempty" json:"id"`
	Addresses []WireAddr `codec:"a,omitempty" json:"addresses"`
	Error     string     `codec:"e,omitempty" json:"error"`
}

type ID struct {
	ID                    peer.ID    `codec:"i,omitempty" json:"id"`
	Addresses             []WireAddr `codec:"a,omitempty" json:"addresses"`
	ClusterPeers          []peer.ID  `codec:"cp,omitempty" json:"cluster_peers"`
	ClusterPeersAddresses []WireAddr `codec:"cpa,omitempty" json:"cluster_peers_addresses"`
	Version               string     `codec:"v,omitempty" json:"version"`
	Commit                string     `codec:"c,omitempty" json:"commit"`
	RPCProtocolVersion    string     `codec:"rv,omitempty" json:"rpc_protocol_version"`
	Error                 string     `codec:"e,omitempty" json:"error"`
	IPFS                  *IPFSID    `codec:"ip,omitempty" json:"ipfs"`
	Peername              string     `codec:"pn,omitempty" json:"peername"`
}

type PinInfo struct {
	Cid           WireCid           `codec:"c" json:"cid"`
	Name          string            `codec:"m,omitempty" json:"name"`
	Peer          peer.ID           `codec:"p,omitempty" json:"peer"`
	Allocations   []peer.ID         `codec:"o,omitempty" json:"allocations"`
	Origins       []WireAddr        `codec:"g,omitempty" json:"origins"`
	Created       time.Time         `codec:"t,omitempty" json:"created"`
	Metadata      map[string]string `codec:"md,omitempty" json:"metadata"`
	PeerName      string            `codec:"pn,omitempty" json:"peername"`
	IPFS          peer.ID           `codec:"i,omitempty" json:"ipfs_peer_id"`
	IPFSAddresses []WireAddr        `codec:"ia,omitempty" json:"ipfs_peer_addresses"`
	Status        int               `codec:"st,omitempty" json:"status"`
	TS            time.Time         `codec:"ts,omitempty" json:"timestamp"`
	Error         string            `codec:"e,omitempty" json:"error"`
	AttemptCount  int               `codec:"a,omitempty" json:"attempt_count"`
	PriorityPin   bool              `codec:"y,omitempty" json:"priority_pin"`
}

type Pin struct {
	ReplicationFactorMin int               `codec:"rn,omitempty" json:"replication_factor_min"`
	ReplicationFactorMax int               `codec:"rx,omitempty" json:"replication_factor_max"`
	Name                 string            `codec:"n,omitempty" json:"name"`
	Mode                 int               `codec:"o,omitempty" json:"mode"`
	ShardSize            uint64            `codec:"s,omitempty" json:"shard_size"`
	UserAllocations      []peer.ID         `codec:"ua,omitempty" json:"user_allocations"`
	ExpireAt             time.Time         `codec:"e,omitempty" json:"expire_at"`
	Metadata             map[string]string `codec:"m,omitempty" json:"metadata"`
	Cid                  WireCid           `codec:"c" json:"cid"`
	Type                 uint64            `codec:"t,omitempty" json:"type"`
	Allocations          []peer.ID         `codec:"a,omitempty" json:"allocations"`
	MaxDepth             int               `codec:"d,omitempty" json:"max_depth"`
	Timestamp            time.Time         `codec:"i,omitempty" json:"timestamp"`
}

type NodeWithMeta struct {
	Data    []byte  `codec:"d,omitempty" json:"-"`
	Cid     WireCid `codec:"c,omitempty" json:"cid"`
	CumSize uint64  `codec:"s,omitempty" json:"size"`
}
