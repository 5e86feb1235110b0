// A witness of one log (C2SP tlog-witness, tlog-cosignature), for tests:
// usage: witness DIR NAME LOG_VKEY
// Prints "listening on PORT" and its own vkey, a line each. Its key and what it has seen stand in
// DIR; it signs nothing before that is on the disk.
package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const cosignatureV1 = 4

// seen is the newest checkpoint that was cosigned.
type seen struct {
	Size int64
	Root tlog.Hash
}

type witness struct {
	mutex  sync.Mutex
	dir    string
	name   string
	key    ed25519.PrivateKey
	log    note.Verifier
	newest seen
}

func (w *witness) public() []byte {
	return append([]byte{cosignatureV1}, w.key.Public().(ed25519.PublicKey)...)
}

func (w *witness) keyID() []byte {
	hash := sha256.Sum256(append([]byte(w.name+"\n"), w.public()...))
	return hash[:4]
}

func (w *witness) vkey() string {
	return fmt.Sprintf("%s+%x+%s", w.name, w.keyID(), base64.StdEncoding.EncodeToString(w.public()))
}

// keep writes a file whole, durably.
func keep(dir, name string, data []byte) error {
	temporary := filepath.Join(dir, name+".new")
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0600)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err = file.Write(data); err != nil {
		return err
	}
	if err = file.Sync(); err != nil {
		return err
	}
	if err = os.Rename(temporary, filepath.Join(dir, name)); err != nil {
		return err
	}
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

func (w *witness) load() error {
	seed, err := os.ReadFile(filepath.Join(w.dir, "key"))
	if errors.Is(err, os.ErrNotExist) {
		seed = make([]byte, ed25519.SeedSize)
		if _, err = rand.Read(seed); err == nil {
			err = keep(w.dir, "key", seed)
		}
	}
	if err != nil {
		return err
	}
	w.key = ed25519.NewKeyFromSeed(seed)
	state, err := os.ReadFile(filepath.Join(w.dir, "seen"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(state, &w.newest)
}

// request is the body of add-checkpoint.
type request struct {
	old  int64
	path tlog.TreeProof
	note []byte
}

func parse(body []byte) (request, error) {
	var out request
	head, signed, found := bytes.Cut(body, []byte("\n\n"))
	if !found {
		return out, errors.New("no empty line")
	}
	out.note = signed
	lines := bufio.NewScanner(bytes.NewReader(head))
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), "old ") {
		return out, errors.New("no old size")
	}
	var err error
	if out.old, err = strconv.ParseInt(lines.Text()[4:], 10, 64); err != nil {
		return out, err
	}
	for lines.Scan() {
		hash, err := tlog.ParseHash(lines.Text())
		if err != nil {
			return out, err
		}
		out.path = append(out.path, hash)
	}
	return out, nil
}

// checkpoint reads what the log has signed.
func checkpoint(text string) (seen, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 {
		return seen{}, errors.New("too few lines")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return seen{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return seen{size, root}, err
}

// advance decides: an HTTP status, and what is said with it.
func (w *witness) advance(asked request) (int, string) {
	origin, _, _ := strings.Cut(string(asked.note), "\n")
	if origin != w.log.Name() {
		return http.StatusNotFound, "unknown log\n"
	}
	opened, err := note.Open(asked.note, note.VerifierList(w.log))
	if err != nil {
		return http.StatusForbidden, err.Error() + "\n"
	}
	shown, err := checkpoint(opened.Text)
	if err != nil || asked.old > shown.Size {
		return http.StatusBadRequest, "malformed checkpoint\n"
	}
	if asked.old != w.newest.Size || (shown.Size == w.newest.Size && shown.Root != w.newest.Root) {
		return http.StatusConflict, fmt.Sprintf("%d\n", w.newest.Size)
	}
	if shown.Size == asked.old || asked.old == 0 {
		if len(asked.path) != 0 {
			return http.StatusUnprocessableEntity, "a path that leads nowhere\n"
		}
	} else if err := tlog.CheckTree(asked.path, shown.Size, shown.Root, w.newest.Size,
		w.newest.Root); err != nil {
		return http.StatusUnprocessableEntity, err.Error() + "\n"
	}
	state, err := json.Marshal(shown)
	if err == nil {
		err = keep(w.dir, "seen", state)
	}
	if err != nil {
		return http.StatusInternalServerError, err.Error() + "\n"
	}
	w.newest = shown
	return http.StatusOK, w.cosign(opened.Text)
}

func (w *witness) cosign(text string) string {
	now := uint64(time.Now().Unix())
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", now, text)
	line := append([]byte{}, w.keyID()...)
	line = append(line, binary.BigEndian.AppendUint64(nil, now)...)
	line = append(line, ed25519.Sign(w.key, []byte(signed))...)
	return fmt.Sprintf("\u2014 %s %s\n", w.name, base64.StdEncoding.EncodeToString(line))
}

func (w *witness) ServeHTTP(answer http.ResponseWriter, asked *http.Request) {
	body, err := io.ReadAll(io.LimitReader(asked.Body, 1<<16))
	if err != nil || asked.Method != "POST" || asked.URL.Path != "/add-checkpoint" {
		http.Error(answer, "POST /add-checkpoint", http.StatusBadRequest)
		return
	}
	parsed, err := parse(body)
	if err != nil {
		http.Error(answer, err.Error(), http.StatusBadRequest)
		return
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	status, said := w.advance(parsed)
	kind := "text/plain; charset=utf-8"
	if status == http.StatusConflict {
		kind = "text/x.tlog.size"
	}
	answer.Header().Set("Content-Type", kind)
	answer.WriteHeader(status)
	io.WriteString(answer, said)
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: witness DIR NAME LOG_VKEY")
	}
	verifier, err := note.NewVerifier(os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	w := &witness{dir: os.Args[1], name: os.Args[2], log: verifier}
	if err := w.load(); err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on %d\n%s\n", listener.Addr().(*net.TCPAddr).Port, w.vkey())
	log.Fatal(http.Serve(listener, w))
}
