// The driver around franz-go.
package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"barnabas.interop/shell"
)

func create(c *shell.Command) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Bootstrap))
	if err != nil {
		return err
	}
	defer client.Close()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = c.Topic, c.PartitionCount(), 1
	for name, value := range c.Configs {
		config := kmsg.NewCreateTopicsRequestTopicConfig()
		config.Name, config.Value = name, kmsg.StringPtr(value)
		topic.Configs = append(topic.Configs, config)
	}
	request := kmsg.NewPtrCreateTopicsRequest()
	request.Topics = append(request.Topics, topic)
	response, err := request.RequestWith(context.Background(), client)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(response.Topics[0].ErrorCode)
}

func codec(name string) kgo.CompressionCodec {
	switch name {
	case "gzip":
		return kgo.GzipCompression()
	case "snappy":
		return kgo.SnappyCompression()
	case "lz4":
		return kgo.Lz4Compression()
	case "zstd":
		return kgo.ZstdCompression()
	}
	return kgo.NoCompression()
}

func produce(c *shell.Command) error {
	options := []kgo.Opt{
		kgo.SeedBrokers(c.Bootstrap), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(codec(c.Codec)),
		kgo.ProducerLinger(20 * time.Millisecond), kgo.RetryBackoffFn(func(int) time.Duration { return 200 * time.Millisecond }),
	}
	if !c.Idempotent {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return err
	}
	defer client.Close()
	var (
		lock   sync.Mutex
		failed error
	)
	for index, r := range c.Records {
		record := &kgo.Record{Topic: c.Topic, Partition: r.Partition, Key: shell.Bytes(r.Key), Value: shell.Bytes(r.Value)}
		for _, h := range r.Headers {
			record.Headers = append(record.Headers, kgo.RecordHeader{Key: h.Name, Value: shell.Bytes(h.Value)})
		}
		client.Produce(context.Background(), record, func(done *kgo.Record, err error) {
			if err == nil {
				shell.Ack(index, done.Partition, done.Offset)
				return
			}
			lock.Lock()
			failed = errors.Join(failed, err)
			lock.Unlock()
		})
		c.Pace()
	}
	if err := client.Flush(context.Background()); err != nil {
		return err
	}
	return failed
}

func group(c *shell.Command, more ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(c.Bootstrap), kgo.ConsumerGroup(c.Group), kgo.ConsumeTopics(c.Topic), kgo.Balancers(kgo.RangeBalancer()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(), kgo.HeartbeatInterval(500 * time.Millisecond),
		kgo.SessionTimeout(10 * time.Second), kgo.FetchMaxWait(100 * time.Millisecond),
	}, more...)...)
}

func show(r *kgo.Record) {
	var headers []shell.Header
	for _, h := range r.Headers {
		headers = append(headers, shell.Header{Name: h.Key, Value: h.Value})
	}
	shell.Read(r.Partition, r.Offset, r.Key, r.Value, headers)
}

func consume(c *shell.Command) error {
	var client *kgo.Client
	var err error
	if c.Group != "" {
		client, err = group(c)
	} else {
		start := map[int32]kgo.Offset{}
		for _, p := range c.PartitionList() {
			start[p] = kgo.NewOffset().AtStart()
		}
		client, err = kgo.NewClient(kgo.SeedBrokers(c.Bootstrap), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{c.Topic: start}))
	}
	if err != nil {
		return err
	}
	defer client.Close()
	var seen []*kgo.Record
	for len(seen) < c.Expect {
		fetches := client.PollRecords(context.Background(), c.Expect-len(seen))
		if err := fetches.Err(); err != nil {
			return err
		}
		fetches.EachRecord(func(r *kgo.Record) {
			show(r)
			seen = append(seen, r)
		})
	}
	if c.Group != "" {
		return client.CommitRecords(context.Background(), seen...)
	}
	return nil
}

func member(c *shell.Command) error {
	var (
		lock sync.Mutex
		held = map[int32]bool{}
	)
	change := func(partitions []int32, has bool) []int32 {
		lock.Lock()
		defer lock.Unlock()
		var now []int32
		for _, p := range partitions {
			held[p] = has
		}
		for p, has := range held {
			if has {
				now = append(now, p)
			}
		}
		return now
	}
	client, err := group(c,
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, got map[string][]int32) {
			shell.Assigned(change(got[c.Topic], true))
		}),
		kgo.OnPartitionsRevoked(func(ctx context.Context, client *kgo.Client, lost map[string][]int32) {
			_ = client.CommitUncommittedOffsets(ctx)
			change(lost[c.Topic], false)
		}),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, lost map[string][]int32) { change(lost[c.Topic], false) }),
		kgo.BlockRebalanceOnPoll())
	if err != nil {
		return err
	}
	for !c.AskedToLeave() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		fetches := client.PollRecords(ctx, 100)
		cancel()
		fetches.EachRecord(show)
		if !fetches.Empty() {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			_ = client.CommitUncommittedOffsets(ctx)
			cancel()
		}
		client.AllowRebalance()
	}
	client.CloseAllowingRebalance()
	return nil
}

func main() {
	shell.Serve(map[string]func(*shell.Command) error{"create": create, "produce": produce, "consume": consume, "member": member})
}
