// Reads a ledger as a C2SP transparency log with golang.org/x/mod/sumdb, which knows nothing of it:
// usage: reader URL VKEY INDEX OLD_SIZE
// Opens the checkpoint, checks every entry of every bundle against the tiles, that the entry INDEX
// is in the log, and that the log of OLD_SIZE entries is its beginning.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8
const tileWidth = 1 << tileHeight

func must(err error, what string) {
	if err != nil {
		log.Fatalf("%s: %v", what, err)
	}
}

// source fetches below /tlog/. It is a tlog.TileReader.
type source struct {
	url   string
	asked int
	saved int
}

func (s *source) get(path string) ([]byte, error) {
	s.asked++
	answer, err := http.Get(s.url + "/tlog/" + path)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != 200 {
		return nil, fmt.Errorf("%s: %s", path, answer.Status)
	}
	return io.ReadAll(answer.Body)
}

// tilePath is a tile's name. The library writes the height first, which tlog-tiles leaves out.
func tilePath(tile tlog.Tile) string {
	return strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", tileHeight), "tile/", 1)
}

func (s *source) Height() int { return tileHeight }

func (s *source) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, tile := range tiles {
		data, err := s.get(tilePath(tile))
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}

// SaveTiles is called with tiles that were found to belong to the tree.
func (s *source) SaveTiles(tiles []tlog.Tile, data [][]byte) { s.saved += len(tiles) }

// checkpoint opens the signed note and reads its three lines.
func (s *source) checkpoint(vkey string) (string, tlog.Tree) {
	verifier, err := note.NewVerifier(vkey)
	must(err, "vkey")
	text, err := s.get("checkpoint")
	must(err, "checkpoint")
	opened, err := note.Open(text, note.VerifierList(verifier))
	must(err, "note")
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != verifier.Name() {
		log.Fatalf("a checkpoint of other lines: %q", opened.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err, "size")
	root, err := base64.StdEncoding.DecodeString(lines[2])
	must(err, "root")
	tree := tlog.Tree{N: size}
	if copy(tree.Hash[:], root) != tlog.HashSize || len(root) != tlog.HashSize {
		log.Fatalf("a root of %d bytes", len(root))
	}
	return lines[0], tree
}

// bundle is the entries from 256 n on, as many as the tree has.
func (s *source) bundle(n int64, tree tlog.Tree) [][]byte {
	tile := tlog.Tile{H: tileHeight, L: -1, N: n, W: tileWidth}
	if left := tree.N - n*tileWidth; left < tileWidth {
		tile.W = int(left)
	}
	data, err := s.get(strings.Replace(tilePath(tile), "tile/data/", "tile/entries/", 1))
	must(err, "entries")
	var out [][]byte
	for len(data) > 0 {
		length := int(binary.BigEndian.Uint16(data))
		out = append(out, data[2:2+length])
		data = data[2+length:]
	}
	if len(out) != tile.W {
		log.Fatalf("bundle %d has %d entries, want %d", n, len(out), tile.W)
	}
	return out
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 5 {
		log.Fatal("usage: reader URL VKEY INDEX OLD_SIZE")
	}
	index, err := strconv.ParseInt(os.Args[3], 10, 64)
	must(err, "INDEX")
	old, err := strconv.ParseInt(os.Args[4], 10, 64)
	must(err, "OLD_SIZE")
	log := &source{url: os.Args[1]}
	origin, tree := log.checkpoint(os.Args[2])
	hashes := tlog.TileHashReader(tree, log)

	var entry []byte
	for n := int64(0); n*tileWidth < tree.N; n++ {
		entries := log.bundle(n, tree)
		var indexes []int64
		for i := range entries {
			indexes = append(indexes, tlog.StoredHashIndex(0, n*tileWidth+int64(i)))
		}
		leaves, err := hashes.ReadHashes(indexes)
		must(err, "leaf hashes")
		for i, leaf := range leaves {
			if tlog.RecordHash(entries[i]) != leaf {
				must(fmt.Errorf("is another"), fmt.Sprintf("leaf %d", n*tileWidth+int64(i)))
			}
		}
		if index/tileWidth == n {
			entry = entries[index%tileWidth]
		}
	}

	inclusion, err := tlog.ProveRecord(tree.N, index, hashes)
	must(err, "inclusion path")
	must(tlog.CheckRecord(inclusion, tree.N, tree.Hash, index, tlog.RecordHash(entry)), "inclusion")
	root, err := tlog.TreeHash(old, hashes)
	must(err, "older root")
	consistency, err := tlog.ProveTree(tree.N, old, hashes)
	must(err, "consistency path")
	must(tlog.CheckTree(consistency, tree.N, tree.Hash, old, root), "consistency")
	leaf := tlog.RecordHash(entry)
	fmt.Printf("%s: %d entries, %d requests, %d tiles, %x\n", origin, tree.N, log.asked, log.saved,
		leaf[:])
}
