using LoggingService.RoomLogs;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting;
using Serilog.Formatting.Display;

namespace LoggingService.Logging;

/// <summary>The service's own log where no person sits at a terminal. Not an expression template, as there: it would take a sixth of the start to compile.</summary>
internal sealed class PlainConsoleFormatter : ITextFormatter
{
    private readonly MessageTemplateTextFormatter _own = new("{Timestamp:HH:mm:ss} {Level:u3} {Message:lj}{NewLine}{Exception}");

    // What a room said bears the time of its log.
    private readonly MessageTemplateTextFormatter _room = new("{Time:HH:mm:ss} {Level:u3} {Alias:l} {Line:l}{NewLine}");

    /// <inheritdoc/>
    public void Format(LogEvent logEvent, TextWriter output) =>
        (logEvent.Properties.TryGetValue(Constants.SourceContextPropertyName, out var source) && source is ScalarValue { Value: RoomActivity.Source } ? _room : _own)
            .Format(logEvent, output);
}
