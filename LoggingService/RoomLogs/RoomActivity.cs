using System.Threading.Channels;
using LoggingService.Logging;
using LoggingService.Rooms;
using Serilog.Core;
using Serilog.Events;
using Serilog.Parsing;

namespace LoggingService.RoomLogs;

/// <summary>
/// Publishes committed lines as Serilog events of the source <c>RoomActivity</c> with the properties Room, Alias, Sender,
/// EventType, EventId and Line. Best effort: a slow sink loses lines, which are counted, and never delays a transaction.
/// </summary>
internal sealed partial class RoomActivity(Serilog.ILogger listeners, RoomAliases aliases, ILogger<RoomActivity> logger) : BackgroundService
{
    public const string Source = "RoomActivity";

    private const int Queued = 10_000;
    private static readonly MessageTemplate Template =
        new MessageTemplateParser().Parse("{Alias:l} {Time:yyyy-MM-dd HH:mm:ss zzz} {Line:l}");
    private readonly Serilog.ILogger _listeners = listeners.ForContext(Constants.SourceContextPropertyName, Source);
    private readonly Channel<LogEvent> _queue = Channel.CreateBounded<LogEvent>(new BoundedChannelOptions(Queued) { SingleReader = true });
    private long _missed;

    /// <summary>Queues lines; a no-op where no sink is enabled.</summary>
    public void Show(IReadOnlyList<WrittenLine> written)
    {
        if (!_listeners.IsEnabled(LogEventLevel.Information))
        {
            return;
        }

        foreach (var (e, time, line) in written)
        {
            LogEventProperty[] properties =
            [
                new(Constants.SourceContextPropertyName, new ScalarValue(Source)),
                new("Room", new ScalarValue(e.RoomId)),
                new("Alias", new ScalarValue(aliases.Of(e.RoomId)?.ToString() ?? e.RoomId)),
                new("Sender", new ScalarValue(e.Sender)),
                new("EventType", new ScalarValue(e.Type)),
                new("EventId", new ScalarValue(e.EventId)),
                new("Time", new ScalarValue(time)),
                new("Line", new ScalarValue(line)),
            ];
            if (!_queue.Writer.TryWrite(new LogEvent(time, LogEventLevel.Information, exception: null, Template, properties)))
            {
                Interlocked.Increment(ref _missed);
            }
        }
    }

    public override Task StopAsync(CancellationToken cancellationToken)
    {
        // Lines committed before the stop are still published.
        _queue.Writer.TryComplete();
        return ExecuteTask?.WaitAsync(cancellationToken) ?? Task.CompletedTask;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var line in _queue.Reader.ReadAllAsync(CancellationToken.None))
        {
            try
            {
                _listeners.Write(line);
            }
#pragma warning disable CA1031 // A failing sink loses its lines, but must not stop the service.
            catch (Exception)
#pragma warning restore CA1031
            {
                Interlocked.Increment(ref _missed);
            }

            var missed = Interlocked.Exchange(ref _missed, 0);
            if (missed > 0)
            {
                Log.Missed(logger, missed);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = EventIds.RoomActivityDropped, Level = LogLevel.Warning,
            Message = "Dropped {LineCount} lines of room activity: slow output, or a failed Serilog sink. The room logs are complete.")]
        public static partial void Missed(ILogger logger, long lineCount);
    }
}
