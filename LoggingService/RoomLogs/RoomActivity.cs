using System.Threading.Channels;
using LoggingService.Logging;
using LoggingService.Rooms;
using Serilog.Core;
using Serilog.Events;
using Serilog.Parsing;

namespace LoggingService.RoomLogs;

/// <summary>
/// Shows committed lines to whoever listens, as Serilog events of the source <c>RoomActivity</c> with the properties Room,
/// Alias, Sender, EventType, EventId and Line: a terminal, or a sink that an admin configured. A view, not a promise:
/// a listener that is slower than the rooms misses lines, which are counted, and never holds a transaction up.
/// </summary>
internal sealed partial class RoomActivity(Serilog.ILogger listeners, RoomAliases aliases, ILogger<RoomActivity> logger) : BackgroundService
{
    /// <summary>The source that levels and filters of the Serilog configuration name.</summary>
    public const string Source = "RoomActivity";

    private const int Queued = 10_000;
    private static readonly MessageTemplate Template = new MessageTemplateParser().Parse("{Alias:l} {Time:yyyy-MM-dd HH:mm:ss zzz} {Line:l}");
    private readonly Serilog.ILogger _listeners = listeners.ForContext(Constants.SourceContextPropertyName, Source);
    private readonly Channel<LogEvent> _queue = Channel.CreateBounded<LogEvent>(new BoundedChannelOptions(Queued) { SingleReader = true });
    private long _missed;

    /// <summary>Queues lines for the listeners; costs nothing where nobody listens.</summary>
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

    /// <inheritdoc/>
    public override Task StopAsync(CancellationToken cancellationToken)
    {
        // What was committed before the stop is still shown.
        _queue.Writer.TryComplete();
        return ExecuteTask?.WaitAsync(cancellationToken) ?? Task.CompletedTask;
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var line in _queue.Reader.ReadAllAsync(CancellationToken.None))
        {
            try
            {
                _listeners.Write(line);
            }
#pragma warning disable CA1031 // A sink of the admin's that fails costs its lines, never the service.
            catch (Exception)
#pragma warning restore CA1031
            {
                Interlocked.Increment(ref _missed);
            }

            if (Interlocked.Exchange(ref _missed, 0) is > 0 and var missed)
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
