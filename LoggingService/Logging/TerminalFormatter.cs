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

    private readonly MessageTemplateTextFormatter _message = new("{Message:lj}{NewLine}");

    public void Format(LogEvent logEvent, TextWriter output)
    {
        if (logEvent.IsFrom(ServiceLog.RoomActivitySource))
        {
            FormatRoomLine(logEvent, output);
            return;
        }

        if (logEvent.GetCheck() is not null)
        {
            output.Write($"  {SignOf(logEvent)} ");
            _message.Format(logEvent, output);
            return;
        }

        var (level, colour) = LevelOf(logEvent.Level);
        output.Write($"{Coloured(Dim, $"{logEvent.Timestamp:HH:mm:ss}")} {Coloured(colour, level)} ");
        _message.Format(logEvent, output);
        if (logEvent.Exception is { } exception)
        {
            output.WriteLine(exception);
        }
    }

    private void FormatRoomLine(LogEvent logEvent, TextWriter output)
    {
        var line = logEvent.GetScalar("Line") as string ?? "";
        output.Write($"{Coloured(Dim, $"{logEvent.GetScalar("Time"):HH:mm:ss}")} {logEvent.GetScalar("Alias")} ");
        output.WriteLine(line.Length > MaxRoomLine ? $"{line.AsSpan(0, MaxRoomLine)}… (more in the log)" : line);
    }

    private string SignOf(LogEvent logEvent) => logEvent switch
    {
        { Level: LogEventLevel.Warning } => Coloured(Yellow, "✗"),
        _ when logEvent.GetEventId() == EventIds.CheckPending => "·",
        _ => "✓",
    };

    private static (string Text, string Colour) LevelOf(LogEventLevel level) => level switch
    {
        LogEventLevel.Verbose => ("VRB", Dim),
        LogEventLevel.Debug => ("DBG", Dim),
        LogEventLevel.Information => ("INF", Dim),
        LogEventLevel.Warning => ("WRN", Yellow),
        LogEventLevel.Error => ("ERR", Red),
        _ => ("FTL", Red),
    };

    private string Coloured(string colour, string text) => hasColours ? $"{colour}{text}\e[0m" : text;
}
