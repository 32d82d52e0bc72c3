//! The driver around the rdkafka crate. Commands and events: rig/driver.py.

use std::collections::{BTreeSet, HashMap};
use std::io::{stdin, BufRead, Write};
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::{ClientContext, DefaultClientContext};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, DeliveryResult, Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::{json, Value};

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn emit(event: Value) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{event}").and_then(|()| out.flush()).expect("stdout is open");
}

fn text<'a>(command: &'a Value, name: &str) -> &'a str {
    command[name].as_str().unwrap_or_default()
}

fn config(command: &Value) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", text(command, "bootstrap")).set("reconnect.backoff.max.ms", "500");
    config
}

fn create(command: &Value) -> Outcome {
    let admin: AdminClient<DefaultClientContext> = config(command).create()?;
    let partitions = command["partitions"].as_i64().unwrap_or(1) as i32;
    let mut topic = NewTopic::new(text(command, "topic"), partitions, TopicReplication::Fixed(1));
    for (name, value) in command["configs"].as_object().into_iter().flatten() {
        topic = topic.set(name, value.as_str().unwrap_or_default());
    }
    for result in futures_executor::block_on(admin.create_topics([&topic], &AdminOptions::new()))? {
        result.map_err(|(topic, code)| format!("{topic}: {code}"))?;
    }
    Ok(())
}

#[derive(Default)]
struct Acks {
    failed: Mutex<Option<KafkaError>>,
}

impl ClientContext for Acks {}

impl ProducerContext for Acks {
    type DeliveryOpaque = Box<usize>;

    fn delivery(&self, result: &DeliveryResult<'_>, index: Box<usize>) {
        match result {
            Ok(sent) => emit(json!({"ack": [*index, sent.partition(), sent.offset()]})),
            Err((error, _)) => *self.failed.lock().unwrap() = Some(error.clone()),
        }
    }
}

fn produce(command: &Value) -> Outcome {
    let producer: BaseProducer<Acks> = config(command)
        .set("compression.type", text(command, "codec"))
        .set("enable.idempotence", command["idempotent"].to_string())
        .set("linger.ms", "20")
        .create_with_context(Acks::default())?;
    let pace = Duration::from_millis(command["pace_ms"].as_u64().unwrap_or(0));
    for (index, row) in command["records"].as_array().into_iter().flatten().enumerate() {
        let mut headers = OwnedHeaders::new();
        for pair in row[3].as_array().into_iter().flatten() {
            headers = headers.insert(Header { key: pair[0].as_str().unwrap_or_default(), value: pair[1].as_str() });
        }
        let mut record: BaseRecord<'_, str, str, _> = BaseRecord::with_opaque_to(text(command, "topic"), Box::new(index))
            .partition(row[0].as_i64().unwrap_or(0) as i32)
            .headers(headers);
        record.key = row[1].as_str();
        record.payload = row[2].as_str();
        producer.send(record).map_err(|(error, _)| error)?;
        producer.poll(pace);
    }
    producer.flush(Duration::from_secs(120))?;
    let failed = producer.client().context().failed.lock().unwrap().take();
    failed.map_or(Ok(()), |error| Err(error.into()))
}

/// What a member has and how far it has read. The positions are kept here because librdkafka's own run ahead: it counts
/// a fetched message as consumed before this program has seen it.
struct Membership {
    topic: String,
    held: Mutex<BTreeSet<i32>>,
    positions: Mutex<HashMap<(String, i32), Offset>>,
}

impl Membership {
    fn seen(&self, message: &BorrowedMessage<'_>) {
        self.positions.lock().unwrap().insert((self.topic.clone(), message.partition()), Offset::Offset(message.offset() + 1));
    }

    fn commit(&self, consumer: &BaseConsumer<Self>) -> Result<(), KafkaError> {
        let positions = self.positions.lock().unwrap();
        if positions.is_empty() {
            return Ok(());
        }
        consumer.commit(&TopicPartitionList::from_topic_map(&positions)?, CommitMode::Sync)
    }
}

impl ClientContext for Membership {}

impl ConsumerContext for Membership {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(_) = rebalance {
            let _ = self.commit(consumer); // the broker may be away: what is read twice is not lost
            self.positions.lock().unwrap().clear();
            self.held.lock().unwrap().clear();
        }
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(partitions) = rebalance {
            let mut held = self.held.lock().unwrap();
            held.extend(partitions.elements_for_topic(&self.topic).iter().map(|one| one.partition()));
            emit(json!({"assigned": *held}));
        }
    }
}

fn consumer(command: &Value) -> Result<BaseConsumer<Membership>, KafkaError> {
    let topic = text(command, "topic").to_string();
    let context = Membership { topic, held: Mutex::default(), positions: Mutex::default() };
    config(command)
        .set("group.id", command["group"].as_str().unwrap_or("unused"))
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .set("heartbeat.interval.ms", "500")
        .set("session.timeout.ms", "10000")
        .set("fetch.wait.max.ms", "100")
        .set("partition.assignment.strategy", "range")
        .create_with_context(context)
}

fn show(message: &BorrowedMessage<'_>) {
    let utf8 = |data: Option<&[u8]>| data.map(|d| String::from_utf8_lossy(d).into_owned());
    let headers: Vec<Value> =
        message.headers().map_or(vec![], |all| all.iter().map(|h| json!([h.key, utf8(h.value)])).collect());
    emit(json!({"record": [message.partition(), message.offset(), utf8(message.key()), utf8(message.payload()), headers]}));
}

/// The next message; none if there is none yet or the broker is away for a moment.
fn next<'a>(consumer: &'a BaseConsumer<Membership>, wait: Duration) -> Option<BorrowedMessage<'a>> {
    match consumer.poll(wait)? {
        Ok(message) => Some(message),
        Err(error) => {
            eprintln!("{error}");
            None
        }
    }
}

fn consume(command: &Value) -> Outcome {
    let consumer = consumer(command)?;
    let topic = text(command, "topic");
    let in_group = command["group"].is_string();
    if in_group {
        consumer.subscribe(&[topic])?;
    } else {
        let mut all = TopicPartitionList::new();
        for partition in command["partitions"].as_array().into_iter().flatten() {
            all.add_partition_offset(topic, partition.as_i64().unwrap_or(0) as i32, Offset::Beginning)?;
        }
        consumer.assign(&all)?;
    }
    let mut left = command["expect"].as_u64().unwrap_or(0);
    while left > 0 {
        if let Some(message) = next(&consumer, Duration::from_millis(500)) {
            show(&message);
            consumer.context().seen(&message);
            left -= 1;
        }
    }
    if in_group {
        consumer.context().commit(&consumer)?;
    }
    Ok(())
}

fn member(command: &Value) -> Outcome {
    let consumer = consumer(command)?;
    consumer.subscribe(&[text(command, "topic")])?;
    let mut last_commit = Instant::now();
    while !Path::new(text(command, "until")).exists() {
        if let Some(message) = next(&consumer, Duration::from_millis(100)) {
            show(&message);
            consumer.context().seen(&message);
        }
        if last_commit.elapsed() > Duration::from_secs(1) {
            let _ = consumer.context().commit(&consumer); // the next one will do
            last_commit = Instant::now();
        }
    }
    let _ = consumer.context().commit(&consumer);
    Ok(())
}

fn main() {
    for line in stdin().lock().lines() {
        let command: Value = serde_json::from_str(&line.expect("stdin is open")).expect("a command is JSON");
        let outcome = match text(&command, "do") {
            "create" => create(&command),
            "produce" => produce(&command),
            "consume" => consume(&command),
            "member" => member(&command),
            other => Err(format!("unknown command {other}").into()),
        };
        match outcome {
            Ok(()) => emit(json!({"done": true})),
            Err(error) => emit(json!({"error": error.to_string()})),
        }
    }
}
