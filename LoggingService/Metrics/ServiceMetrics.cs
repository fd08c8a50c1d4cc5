using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace LoggingService.Metrics;

/// <summary>
/// The instruments that count and measure where something happens, by OpenTelemetry's conventions. Static, since they belong to the
/// process. They are used once a transaction, an append or a round of the writer, never for each event; without a listener one is a
/// comparison. No tag names a room. What can be read at any time is observed instead (<c>Admin/ServiceGauges</c>).
/// </summary>
internal static class ServiceMetrics
{
    public const string MeterName = "LoggingService";

    private const string Prefix = "logging_service.";

    private static readonly Meter Meter = new(MeterName);

    private static readonly Counter<long> Transactions = CreateCounter(
        "transactions", "{transaction}", "Transactions of the homeserver, by outcome.");

    private static readonly Counter<long> EventsReceived = CreateCounter(
        "events.received", "{event}", "Events of accepted transactions.");

    private static readonly Counter<long> EventsProcessed = CreateCounter(
        "events.processed", "{event}", "Events by outcome: logged, duplicate, quarantined, not logged.");

    private static readonly Counter<long> RoomsCreated = CreateCounter("rooms.created", "{room}", "Rooms created for an alias.");

    private static readonly Counter<long> RoomsRefused = CreateCounter(
        "rooms.refused", "{room}", "Rooms that users asked for and that were not created, by reason.");

    private static readonly Counter<long> HomeserverRequests = CreateCounter(
        "homeserver.requests", "{request}", "Calls of the homeserver's client API with their retries, by method and status.");

    private static readonly Histogram<double> TransactionDuration = CreateHistogram(
        "transaction.duration", "From the receipt of an accepted transaction to its 200.",
        [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]);

    private static readonly Histogram<double> SyncDuration = CreateHistogram(
        "journal.sync.duration", "An fdatasync of the journal.",
        [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]);

    private static readonly Histogram<double> WriteDelay = CreateHistogram(
        "write.delay", "From the 200 of a transaction to the lines of the rooms; recorded once a round of the writer, for its oldest.",
        [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 10, 30, 60]);

    private static readonly Histogram<double> EventDelay = CreateHistogram(
        "event.delay", "From origin_server_ts of an event to its line; recorded once an append to a room, for its newest.",
        [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 86400]);

    private static readonly Histogram<double> CheckpointDuration = CreateHistogram(
        "checkpoint.duration", "A checkpoint, by outcome.", [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 10, 30]);

    private static readonly Gauge<double> CheckpointTime = Meter.CreateGauge<double>(
        $"{Prefix}checkpoint.last_success.timestamp", "s", "When a checkpoint last succeeded, in seconds since 1970.");

    /// <summary>Creates the series of the counters, so that a first increase is visible. To be called once something listens.</summary>
    public static void CreateSeries()
    {
        foreach (var outcome in (string[])["accepted", "malformed", "compressed", "too_large", "refused", "aborted", "failed"])
        {
            Transactions.Add(0, Outcome(outcome));
        }

        foreach (var outcome in (string[])["logged", "duplicate", "quarantined", "not_logged"])
        {
            EventsProcessed.Add(0, Outcome(outcome));
        }

        foreach (var reason in (string[])["limit", "alias", "homeserver"])
        {
            RoomsRefused.Add(0, Tag("reason", reason));
        }

        EventsReceived.Add(0);
        RoomsCreated.Add(0);
        RecordHomeserverRequest(0, "GET", 200);
    }

    /// <param name="status">Of the response; 499 if the client disconnected.</param>
    /// <param name="receivedAt">A timestamp of the receipt.</param>
    public static void RecordTransaction(int status, long receivedAt)
    {
        if (status == 200 && TransactionDuration.Enabled)
        {
            TransactionDuration.Record(Stopwatch.GetElapsedTime(receivedAt).TotalSeconds);
        }

        Transactions.Add(1, Outcome(status switch
        {
            200 => "accepted",
            413 => "too_large",
            415 => "compressed",
            499 => "aborted",
            503 => "refused",
            >= 500 => "failed",
            _ => "malformed",
        }));
    }

    /// <summary>Counts what an accepted transaction contains.</summary>
    public static void RecordEvents(int received, int notLogged, int quarantined)
    {
        EventsReceived.Add(received);
        RecordProcessed(notLogged, "not_logged");
        RecordProcessed(quarantined, "quarantined");
    }

    public static void RecordDuplicates(int count) => RecordProcessed(count, "duplicate");

    /// <summary>Counts the lines of an append to a room.</summary>
    /// <param name="newest">The event of the last line.</param>
    public static void RecordLines(int count, RoomEvent newest)
    {
        RecordProcessed(count, "logged");
        if (EventDelay.Enabled && !newest.IsNote && newest.OriginServerTs is { } sentAt)
        {
            EventDelay.Record(Math.Max(0, (double)DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() - sentAt) / 1000);
        }
    }

    /// <param name="durableAt">A timestamp of the sync of the round's oldest frame.</param>
    public static void RecordRound(long durableAt)
    {
        if (WriteDelay.Enabled)
        {
            WriteDelay.Record(Stopwatch.GetElapsedTime(durableAt).TotalSeconds);
        }
    }

    public static void RecordSync(long startedAt)
    {
        if (SyncDuration.Enabled)
        {
            SyncDuration.Record(Stopwatch.GetElapsedTime(startedAt).TotalSeconds);
        }
    }

    public static void RecordCheckpoint(bool hasSucceeded, long startedAt)
    {
        CheckpointDuration.Record(
            Stopwatch.GetElapsedTime(startedAt).TotalSeconds, Outcome(hasSucceeded ? "succeeded" : "failed"));
        if (hasSucceeded)
        {
            CheckpointTime.Record(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0);
        }
    }

    public static void RecordRoomCreated() => RoomsCreated.Add(1);

    /// <param name="reason"><c>limit</c>, <c>alias</c> or <c>homeserver</c>.</param>
    public static void RecordRoomRefused(string reason) => RoomsRefused.Add(1, Tag("reason", reason));

    /// <param name="status">Of the response; <c>null</c> if there was none.</param>
    public static void RecordHomeserverRequest(int count, string method, int? status)
    {
        var result = status is null ? Tag("error.type", "no_response") : Tag("http.response.status_code", status);
        HomeserverRequests.Add(count, Tag("http.request.method", method), result);
    }

    private static void RecordProcessed(int count, string outcome)
    {
        if (count > 0)
        {
            EventsProcessed.Add(count, Outcome(outcome));
        }
    }

    private static KeyValuePair<string, object?> Outcome(string outcome) => Tag("outcome", outcome);

    private static KeyValuePair<string, object?> Tag(string key, object? value) => new(key, value);

    private static Counter<long> CreateCounter(string name, string unit, string description) =>
        Meter.CreateCounter<long>(Prefix + name, unit, description);

    private static Histogram<double> CreateHistogram(string name, string description, double[] seconds) => Meter.CreateHistogram(
        Prefix + name, "s", description, tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = seconds });
}
