// Prints test/vectors/abci.txt: every message of ABCI that Cairn is asked or gives, as CometBFT's
// own code writes it. Run in the folder of CometBFT's go.mod: go run ../../tools/abci_vectors/main.go
package main

import (
	"bytes"
	"fmt"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/proto/tendermint/crypto"
	types "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/cosmos/gogoproto/proto"
)

func fill(value byte, count int) []byte { return bytes.Repeat([]byte{value}, count) }

var when = time.Unix(1700000000, 123456789).UTC()
var validator = abci.Validator{Address: fill(0xa1, 20), Power: 10}
var txs = [][]byte{[]byte("one"), {}, fill(0x33, 200)}
var commit = abci.CommitInfo{Round: 3, Votes: []abci.VoteInfo{
	{Validator: validator, BlockIdFlag: types.BlockIDFlagCommit},
	{Validator: abci.Validator{Address: fill(0xa2, 20), Power: 1}, BlockIdFlag: types.BlockIDFlagAbsent}}}
var extended = abci.ExtendedCommitInfo{Round: 3, Votes: []abci.ExtendedVoteInfo{
	{Validator: validator, VoteExtension: []byte("ext"), ExtensionSignature: fill(9, 64), BlockIdFlag: types.BlockIDFlagCommit},
	{Validator: abci.Validator{Address: fill(0xa2, 20), Power: 1}, BlockIdFlag: types.BlockIDFlagNil}}}
var offences = []abci.Misbehavior{
	{Type: abci.MisbehaviorType_DUPLICATE_VOTE, Validator: validator, Height: 5, Time: when, TotalVotingPower: 40},
	{Type: abci.MisbehaviorType_LIGHT_CLIENT_ATTACK, Validator: validator, Height: 6, Time: time.Time{}, TotalVotingPower: 40}}
var update = abci.ValidatorUpdate{PubKey: crypto.PublicKey{Sum: &crypto.PublicKey_Ed25519{Ed25519: fill(0xee, 32)}}, Power: 7}
var params = types.ConsensusParams{
	Block:     &types.BlockParams{MaxBytes: 4194304, MaxGas: -1},
	Evidence:  &types.EvidenceParams{MaxAgeNumBlocks: 100000, MaxAgeDuration: 48 * time.Hour, MaxBytes: 1048576},
	Validator: &types.ValidatorParams{PubKeyTypes: []string{"ed25519"}},
	Version:   &types.VersionParams{App: 2}, Abci: &types.ABCIParams{VoteExtensionsEnableHeight: 12}}

func line(name string, message proto.Message) {
	var out bytes.Buffer
	if err := abci.WriteMessage(message, &out); err != nil {
		panic(err)
	}
	fmt.Printf("%s %x\n", name, out.Bytes())
}

func main() {
	fmt.Println("# Written by CometBFT 0.40.0's own abci/types; made by tools/abci_vectors/main.go.")
	fmt.Println("# Each line: the message, its frame.")
	line("request:Echo", abci.ToRequestEcho("hello"))
	line("request:Flush", abci.ToRequestFlush())
	line("request:Info", abci.ToRequestInfo(&abci.RequestInfo{Version: "0.39.0", BlockVersion: 11, P2PVersion: 8, AbciVersion: "2.0.0"}))
	line("request:InitChain", abci.ToRequestInitChain(&abci.RequestInitChain{Time: when, ChainId: "cairn-0123", ConsensusParams: &params,
		Validators: []abci.ValidatorUpdate{update, update}, AppStateBytes: []byte(`{"a":1}`), InitialHeight: 1}))
	line("request:Query", abci.ToRequestQuery(&abci.RequestQuery{Data: []byte("data"), Path: "/p2p/filter/id/aa", Height: 9, Prove: true}))
	line("request:CheckTx", abci.ToRequestCheckTx(&abci.RequestCheckTx{Tx: []byte("tx"), Type: abci.CheckTxType_Recheck}))
	line("request:Commit", abci.ToRequestCommit())
	line("request:ListSnapshots", abci.ToRequestListSnapshots(&abci.RequestListSnapshots{}))
	line("request:OfferSnapshot", abci.ToRequestOfferSnapshot(&abci.RequestOfferSnapshot{
		Snapshot: &abci.Snapshot{Height: 1 << 40, Format: 2, Chunks: 3, Hash: fill(4, 32), Metadata: []byte("meta")}, AppHash: fill(5, 32)}))
	line("request:LoadSnapshotChunk", abci.ToRequestLoadSnapshotChunk(&abci.RequestLoadSnapshotChunk{Height: 6, Format: 7, Chunk: 8}))
	line("request:ApplySnapshotChunk", abci.ToRequestApplySnapshotChunk(&abci.RequestApplySnapshotChunk{Index: 9, Chunk: []byte("chunk"), Sender: "sender"}))
	line("request:PrepareProposal", abci.ToRequestPrepareProposal(&abci.RequestPrepareProposal{MaxTxBytes: 4000000, Txs: txs, LocalLastCommit: extended,
		Misbehavior: offences, Height: 77, Time: when, NextValidatorsHash: fill(1, 32), ProposerAddress: fill(0xa1, 20)}))
	line("request:ProcessProposal", abci.ToRequestProcessProposal(&abci.RequestProcessProposal{Txs: txs, ProposedLastCommit: commit,
		Misbehavior: offences, Hash: fill(2, 32), Height: 77, Time: when, NextValidatorsHash: fill(1, 32), ProposerAddress: fill(0xa1, 20)}))
	line("request:ExtendVote", &abci.Request{Value: &abci.Request_ExtendVote{ExtendVote: &abci.RequestExtendVote{Txs: txs, ProposedLastCommit: commit,
		Misbehavior: offences, Hash: fill(2, 32), Height: 77, Time: when, NextValidatorsHash: fill(1, 32), ProposerAddress: fill(0xa1, 20)}}})
	line("request:VerifyVoteExtension", abci.ToRequestVerifyVoteExtension(&abci.RequestVerifyVoteExtension{
		Hash: fill(2, 32), ValidatorAddress: fill(0xa1, 20), Height: 77, VoteExtension: []byte("ext")}))
	line("request:FinalizeBlock", abci.ToRequestFinalizeBlock(&abci.RequestFinalizeBlock{Txs: txs, DecidedLastCommit: commit,
		Misbehavior: offences, Hash: fill(2, 32), Height: 77, Time: when, NextValidatorsHash: fill(1, 32), ProposerAddress: fill(0xa1, 20)}))
	line("request:InsertTx", abci.ToRequestInsertTx(&abci.RequestInsertTx{Tx: []byte("tx")}))
	line("request:ReapTxs", abci.ToRequestReapTxs(&abci.RequestReapTxs{MaxBytes: 10, MaxGas: 11}))

	line("answer:Exception", abci.ToResponseException("not used"))
	line("answer:Echo", abci.ToResponseEcho("hello"))
	line("answer:Flush", abci.ToResponseFlush())
	line("answer:Info", abci.ToResponseInfo(&abci.ResponseInfo{Data: "cairn", Version: "0.1.0", AppVersion: 2, LastBlockHeight: 77, LastBlockAppHash: fill(3, 32)}))
	line("answer:InitChain", abci.ToResponseInitChain(&abci.ResponseInitChain{Validators: []abci.ValidatorUpdate{update}, AppHash: fill(3, 32)}))
	line("answer:Query", abci.ToResponseQuery(&abci.ResponseQuery{Code: 1, Log: "log", Key: []byte("key"), Value: []byte("value"), Height: 77}))
	line("answer:CheckTx", abci.ToResponseCheckTx(&abci.ResponseCheckTx{Code: 5, Data: []byte("data"), Log: "log"}))
	line("answer:Commit", abci.ToResponseCommit(&abci.ResponseCommit{RetainHeight: 70}))
	line("answer:ListSnapshots", abci.ToResponseListSnapshots(&abci.ResponseListSnapshots{}))
	line("answer:PrepareProposal", abci.ToResponsePrepareProposal(&abci.ResponsePrepareProposal{Txs: txs}))
	line("answer:ProcessProposal", abci.ToResponseProcessProposal(&abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_REJECT}))
	line("answer:FinalizeBlock", abci.ToResponseFinalizeBlock(&abci.ResponseFinalizeBlock{
		TxResults:        []*abci.ExecTxResult{{}, {Code: 5, Data: []byte("data"), Log: "log"}, {}},
		ValidatorUpdates: []abci.ValidatorUpdate{update}, AppHash: fill(3, 32)}))
}
