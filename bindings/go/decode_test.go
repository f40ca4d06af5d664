package milena_test

import (
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"testing"
	"time"

	"milena"
)

// batchBytes is a batch of format v2 with one record, at offset 5.
func batchBytes(t *testing.T) []byte {
	t.Helper()
	// attributes, timestamp delta, offset delta, key, value, one header
	body := []byte{0, 0, 0, 2, 'k', 22}
	body = append(body, "Dear Milena"...)
	body = append(body, 2, 2, 'n', 1)
	record := append([]byte{byte(len(body) << 1)}, body...)
	head, err := hex.DecodeString("0000" + "00000000" + "0000018bcfe5687b" + "0000018bcfe5687b" +
		"ffffffffffffffff" + "ffff" + "ffffffff" + "00000001")
	must(t, err)
	checked := append(head, record...)
	batch := binary.BigEndian.AppendUint64(nil, 5)
	batch = binary.BigEndian.AppendUint32(batch, uint32(4+1+4+len(checked)))
	batch = append(batch, 0, 0, 0, 0, 2)
	batch = binary.BigEndian.AppendUint32(batch, crc32.Checksum(checked, crc32.MakeTable(crc32.Castagnoli)))
	return append(batch, checked...)
}

func TestDecodeBatches(t *testing.T) {
	one := batchBytes(t)
	all := append(append([]byte(nil), one...), one...)
	all = append(all, one[:30]...)
	batch, err := milena.DecodeBatches(all, 0)
	must(t, err)
	equal(t, "records", batch.Len(), 2)
	equal(t, "chunks", len(batch.Chunks()), 2)
	r := batch.At(1)
	equal(t, "topic", r.Topic, "")
	equal(t, "partition", r.Partition, -1)
	equal(t, "offset", r.Offset, 5)
	equal(t, "time", r.Timestamp, time.UnixMilli(1_700_000_000_123))
	equal(t, "type", r.TimestampType, milena.CreateTime)
	equal(t, "key", string(r.Key), "k")
	equal(t, "value", string(r.Value), "Dear Milena")
	equal(t, "headers", len(r.Headers), 1)
	equal(t, "name", r.Headers[0].Name, "n")
	equal(t, "null", r.Headers[0].Value == nil, true)

	batch, err = milena.DecodeBatches(nil, 0)
	must(t, err)
	equal(t, "records of nothing", batch.Len(), 0)
	_, err = milena.DecodeBatches(one, -1)
	isError(t, err, milena.ErrInvalidArgument)
}

func TestDecodeCorruptBatch(t *testing.T) {
	good, bad := batchBytes(t), batchBytes(t)
	bad[len(bad)-6] ^= 1
	batch, err := milena.DecodeBatches(append(good, bad...), 0)
	e := isError(t, err, milena.ErrCorruptMessage)
	equal(t, "offset", e.Offset, 5)
	equal(t, "records in front of it", batch.Len(), 1)
	for i := range good {
		// Whatever is broken, nothing breaks.
		broken := append([]byte(nil), good...)
		broken[i] ^= 0x80
		_, _ = milena.DecodeBatches(broken, 0)
	}
}
