using System.Text;
using System.Text.RegularExpressions;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting;

namespace LoggingService.Logging;

/// <summary>
/// Writes to a terminal. The state of a startup check does not scroll away: it stays below the other lines, one line for each
/// check, until the checks end or the service stops.
/// </summary>
/// <param name="terminal">An ANSI terminal.</param>
/// <param name="formatter">Formats an event with its line break.</param>
/// <param name="width">Gives the terminal's columns.</param>
internal sealed partial class StatusLineConsoleSink(TextWriter terminal, ITextFormatter formatter, Func<int> width) : ILogEventSink
{
    // By check, in the order of their first appearance.
    private readonly OrderedDictionary<string, string> _statusLines = [];
    private int _rows;

    public void Emit(LogEvent logEvent)
    {
        var line = new StringWriter();
        formatter.Format(logEvent, line);

        var output = new StringBuilder();
        if (_rows > 0)
        {
            output.Append($"\e[{_rows}F\e[J");
        }

        if (logEvent.GetCheck() is { } check)
        {
            _statusLines[check] = line.ToString();
        }
        else
        {
            output.Append(line);
        }

        if (logEvent.GetEventId() is EventIds.HomeserverConnected or EventIds.HomeserverPartlyChecked or EventIds.ServiceStopped)
        {
            _statusLines.Clear();
        }

        output.AppendJoin("", _statusLines.Values);
        _rows = CountRows(string.Concat(_statusLines.Values));
        terminal.Write(output);
        terminal.Flush();
    }

    /// <summary>How many rows the lines take: the terminal wraps those that are longer than its width.</summary>
    private int CountRows(string lines)
    {
        // 0 where the width is unknown.
        var columns = width() > 0 ? width() : int.MaxValue;
        return Colour().Replace(lines, "").Split('\n')[..^1].Sum(line => Math.Max(1, (int)Math.Ceiling((double)line.Length / columns)));
    }

    [GeneratedRegex(@"\e\[[0-9;]*m")]
    private static partial Regex Colour();
}
