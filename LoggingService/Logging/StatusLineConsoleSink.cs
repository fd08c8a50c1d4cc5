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
/// <param name="width">The terminal's columns; 0 if unknown.</param>
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

        switch (logEvent.GetEventId())
        {
            case EventIds.CheckPassed or EventIds.CheckFailed or EventIds.CheckPending:
                _statusLines[$"{logEvent.GetScalar("Check")}"] = line.ToString();
                break;
            case EventIds.HomeserverConnected or EventIds.HomeserverPartlyChecked or EventIds.ServiceStopped:
                output.Append(line);
                _statusLines.Clear();
                break;
            default:
                output.Append(line);
                break;
        }

        var statusLines = string.Concat(_statusLines.Values);
        output.Append(statusLines);
        _rows = CountRows(statusLines);
        terminal.Write(output);
        terminal.Flush();
    }

    /// <summary>How many rows the lines take: the terminal wraps those that are longer than its width.</summary>
    private int CountRows(string lines)
    {
        var columns = width();
        var max = columns > 0 ? columns : int.MaxValue;
        return Colour().Replace(lines, "").Split('\n')[..^1].Sum(line => Math.Max(1, (int)Math.Ceiling((double)line.Length / max)));
    }

    [GeneratedRegex(@"\e\[[0-9;]*m")]
    private static partial Regex Colour();
}
