using System.Text;
using System.Threading.Channels;
using LoggingService.Rendering;
using LoggingService.Rooms;
using Serilog.Core;
using Serilog.Events;
using Serilog.Parsing;

namespace LoggingService.RoomLogs;

/// <summary>
/// Writes committed lines to the service's own log, with the properties Room, Alias, Sender, EventType, EventId and Line, where
/// <c>ServiceLog:RoomActivity</c> asks for them. Best effort: it never blocks a transaction; lines that come faster than the
/// sinks take them are dropped and counted.
/// </summary>
internal sealed partial class RoomActivity(
    Serilog.ILogger serviceLog, LogDirectory logs, RoomAliases aliases, TimeProvider clock, ILogger<RoomActivity> logger)
    : BackgroundService
{
    private const int QueueCapacity = 10_000;

    private static readonly MessageTemplate Template = new MessageTemplateParser().Parse("{Alias:l} {Line:l}");

    private readonly Serilog.ILogger _serviceLog =
        serviceLog.ForContext(Constants.SourceContextPropertyName, ServiceLog.RoomActivitySource);

    private readonly Channel<LogEvent> _queue =
        Channel.CreateBounded<LogEvent>(new BoundedChannelOptions(QueueCapacity) { SingleReader = true });

    private long _dropped;

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        logs.Written += Show;
        return base.StartAsync(cancellationToken);
    }

    public override Task StopAsync(CancellationToken cancellationToken)
    {
        _queue.Writer.TryComplete();
        return ExecuteTask?.WaitAsync(cancellationToken) ?? Task.CompletedTask;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Not cancelled: StopAsync completes the queue.
        await foreach (var line in _queue.Reader.ReadAllAsync(CancellationToken.None))
        {
            _serviceLog.Write(line);
            var dropped = Interlocked.Exchange(ref _dropped, 0);
            if (dropped > 0)
            {
                Log.Dropped(logger, dropped);
            }
        }
    }

    /// <summary>Enqueues lines; a no-op where they are switched off.</summary>
    private void Show(IReadOnlyList<LoggedLine> lines)
    {
        if (!_serviceLog.IsEnabled(LogEventLevel.Information))
        {
            return;
        }

        foreach (var (e, bytes) in lines.Where(line => line.Event.FetchedTs is null))
        {
            var time = LogLine.Time(e, clock.LocalTimeZone);
            var line = Encoding.UTF8.GetString(bytes.Span[Timestamp.Length..^1]);
            LogEventProperty[] properties =
            [
                new(Constants.SourceContextPropertyName, new ScalarValue(ServiceLog.RoomActivitySource)),
                new("Room", new ScalarValue(e.RoomId)),
                new("Alias", new ScalarValue(aliases.GetAlias(e.RoomId)?.ToString() ?? e.RoomId)),
                new("Sender", new ScalarValue(e.Sender)),
                new("EventType", new ScalarValue(e.Type)),
                new("EventId", new ScalarValue(e.EventId)),
                new("Time", new ScalarValue(time)),
                new("Line", new ScalarValue(line)),
            ];
            if (!_queue.Writer.TryWrite(new LogEvent(time, LogEventLevel.Information, exception: null, Template, properties)))
            {
                Interlocked.Increment(ref _dropped);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.RoomActivityDropped, LogLevel.Warning,
            "Dropped {Count} lines of rooms here, which came too fast. The rooms' own files have them.")]
        public static partial void Dropped(ILogger logger, long count);
    }
}
