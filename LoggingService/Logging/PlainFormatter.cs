using Serilog.Events;
using Serilog.Formatting;
using Serilog.Formatting.Display;

namespace LoggingService.Logging;

/// <summary>Text without colours: for a console that is not a terminal, and for the file.</summary>
/// <param name="time">The format of the time that a line begins with.</param>
internal sealed class PlainFormatter(string time) : ITextFormatter
{
    private readonly MessageTemplateTextFormatter _event = new($"{{Timestamp:{time}}} {{Level:u3}} {{Message:lj}}{{NewLine}}{{Exception}}");
    private readonly MessageTemplateTextFormatter _roomLine = new($"{{Time:{time}}} {{Level:u3}} {{Alias:l}} {{Line:l}}{{NewLine}}");

    public void Format(LogEvent logEvent, TextWriter output) =>
        (logEvent.IsFrom(ServiceLog.RoomActivitySource) ? _roomLine : _event).Format(logEvent, output);
}
