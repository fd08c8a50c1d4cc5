using Serilog.Events;
using Serilog.Formatting;
using Serilog.Formatting.Display;

namespace LoggingService.Logging;

/// <summary>Text for a terminal: lines of rooms without a level, startup checks with a sign, everything else with time and level.</summary>
internal sealed class TerminalFormatter(bool hasColours) : ITextFormatter
{
    // A message may be as long as a book.
    private const int MaxRoomLine = 500;

    // The terminal's own colours, which its owner can read.
    private const string Dim = "\e[2m";
    private const string Red = "\e[31m";
    private const string Yellow = "\e[0;33m";

    private readonly MessageTemplateTextFormatter _message = new("{Message:lj}{NewLine}{Exception}");

    public void Format(LogEvent logEvent, TextWriter output)
    {
        if (logEvent.IsFrom(ServiceLog.RoomActivitySource))
        {
            var line = logEvent.GetScalar("Line") as string ?? "";
            var text = line.Length > MaxRoomLine ? $"{line.AsSpan(0, MaxRoomLine)}… (more in the log)" : line;
            output.WriteLine($"{Time(logEvent)} {logEvent.GetScalar("Alias")} {text}");
            return;
        }

        var prefix = logEvent.GetEventId() switch
        {
            EventIds.CheckPassed => "  ✓",
            EventIds.CheckFailed => $"  {Coloured(Yellow, "✗")}",
            EventIds.CheckPending => "  ·",
            _ => $"{Time(logEvent)} {Level(logEvent.Level)}",
        };
        output.Write($"{prefix} ");
        _message.Format(logEvent, output);
    }

    private string Time(LogEvent logEvent) => Coloured(Dim, $"{logEvent.Timestamp:HH:mm:ss}");

    private string Level(LogEventLevel level) => level switch
    {
        LogEventLevel.Verbose => Coloured(Dim, "VRB"),
        LogEventLevel.Debug => Coloured(Dim, "DBG"),
        LogEventLevel.Information => Coloured(Dim, "INF"),
        LogEventLevel.Warning => Coloured(Yellow, "WRN"),
        LogEventLevel.Error => Coloured(Red, "ERR"),
        _ => Coloured(Red, "FTL"),
    };

    private string Coloured(string colour, string text) => hasColours ? $"{colour}{text}\e[0m" : text;
}
