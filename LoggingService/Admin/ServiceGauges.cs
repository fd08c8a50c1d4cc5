using System.Diagnostics.Metrics;
using LoggingService.Journal;
using LoggingService.Metrics;
using LoggingService.RoomLogs;
using LoggingService.Transactions;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace LoggingService.Admin;

/// <summary>The metrics that are read when they are collected.</summary>
internal sealed class ServiceGauges(
    LogDirectory logs, Admission admission, ServiceHealth health) : IDisposable
{
    private const string Prefix = "logging_service.";
    private readonly Meter _meter = new(ServiceMetrics.MeterName);
    private volatile LogUsage? _usage;
    private long _lastEventAt;

    /// <summary>Creates the instruments, once there is a listener.</summary>
    public void Create()
    {
        logs.Written += NoteLastEvent;
        Add("backlog.size", "By", "Bytes of the journal: acknowledged, and not yet synced into the rooms' files.",
            () => (double)admission.Backlog.Bytes);
        Add("backlog.age", "s", "How long the oldest entry has waited for the writer.", () => admission.Backlog.OldestAge.TotalSeconds);
        Add("journal.segments", "{segment}", "Segments of the journal.", () => CountSegments());
        Add("rooms.open", "{room}", "Rooms with an open log.", () => logs.RoomCounts.Open);
        Add("rooms.parked", "{room}", "Rooms whose files cannot be written; their events wait in the journal.",
            () => logs.RoomCounts.Parked);
        Add("disk.free", "By", "Free space of the file system of the logs or of the journal, whichever has less.",
            () => (double)admission.Space.Free.Bytes);
        Add("disk.required", "By", "Free space below which transactions wait.", () => (double)admission.Space.RequiredBytes);
        Add("disk.free_inodes", "{inode}", "Free inodes.", () => (double)admission.Space.Free.Inodes);
        AddMany("rooms.known", "{room}", "Rooms with a folder in the log directory; read every 5 minutes.",
            () => _usage is { } usage ? [new(usage.Rooms)] : []);
        AddMany("last_event.timestamp", "s", "When the last event was received, in seconds since 1970.",
            () => Volatile.Read(ref _lastEventAt) is not 0 and var at ? [new(at / 1000.0)] : []);
        AddMany("logs.size", "By", "Bytes of the log directory's files, by kind; read every 5 minutes.", () => ByKind(kind => kind.Bytes));
        AddMany("logs.files", "{file}", "Files of the log directory, by kind; read every 5 minutes.", () => ByKind(kind => kind.Files));
        AddMany("health.status", null, "The health checks: 1 is healthy, 0.5 degraded, 0 unhealthy.", ReadHealth);
    }

    /// <summary>Reads the sizes of all files.</summary>
    public void ReadUsage()
    {
        try
        {
            _usage = LogUsage.Read(logs.Root);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The writer reports what is wrong with the directory.
            return;
        }

        // After a start, until the next event.
        if (_usage.RecordWrittenAt is { } writtenAt)
        {
            Interlocked.CompareExchange(ref _lastEventAt, writtenAt.ToUnixTimeMilliseconds(), 0);
        }
    }

    public void Dispose() => _meter.Dispose();

    private int CountSegments()
    {
        try
        {
            return JournalSegment.Find(Path.Combine(logs.Root, WriteAheadJournal.FolderName)).Count;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    private void NoteLastEvent(IReadOnlyList<LoggedLine> lines) =>
        Volatile.Write(ref _lastEventAt, lines[^1].Event.ReceivedTs!.Value);

    private IEnumerable<Measurement<double>> ByKind(Func<(long Files, long Bytes), long> value) =>
        _usage?.Files.Select(kind => new Measurement<double>(value(kind.Value), new KeyValuePair<string, object?>("kind", kind.Key))) ?? [];

    private IEnumerable<Measurement<double>> ReadHealth() => health.Read().Select(check => new Measurement<double>(
        check.Status switch
        {
            HealthStatus.Healthy => 1,
            HealthStatus.Degraded => 0.5,
            _ => 0,
        },
        new KeyValuePair<string, object?>("check", check.Name)));

    private void Add(string name, string unit, string description, Func<double> value) =>
        _meter.CreateObservableGauge(Prefix + name, value, unit, description);

    private void AddMany(string name, string? unit, string description, Func<IEnumerable<Measurement<double>>> values) =>
        _meter.CreateObservableGauge(Prefix + name, values, unit, description);
}
