using System.Text;
using System.Text.RegularExpressions;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting;

namespace LoggingService.Logging;

/// <summary>
/// The service's own log for a person at a terminal. An event with a property <c>place</c> over 0 is not a line that
/// scrolls away: it stands below the lines, in that place, until another replaces it or one with place 0 ends them all.
/// </summary>
/// <param name="terminal">An ANSI terminal.</param>
/// <param name="format">Makes an event's line, with its line break.</param>
/// <param name="width">The terminal's columns, now.</param>
internal sealed partial class StatusLineConsoleSink(TextWriter terminal, ITextFormatter format, Func<int> width) : ILogEventSink
{
    private readonly SortedDictionary<int, string> _places = [];
    private int _rows;

    /// <inheritdoc/>
    public void Emit(LogEvent logEvent)
    {
        var line = new StringWriter();
        format.Format(logEvent, line);
        var place = logEvent.Properties.TryGetValue("place", out var value) && value is ScalarValue { Value: int number } ? number : -1;

        var output = new StringBuilder();
        if (_rows > 0)
        {
            output.Append($"\e[{_rows}F\e[J");
        }

        if (place > 0)
        {
            _places[place] = line.ToString();
        }
        else
        {
            output.Append(line);
            if (place == 0)
            {
                _places.Clear();
            }
        }

        output.AppendJoin("", _places.Values);
        _rows = RowsOf(string.Concat(_places.Values), width() is > 0 and var columns ? columns : int.MaxValue);
        terminal.Write(output);
        terminal.Flush();
    }

    /// <summary>How many rows lines take on the terminal, which breaks those that are longer than it is wide.</summary>
    private static int RowsOf(string lines, int columns) =>
        Colour().Replace(lines, "").Split('\n')[..^1].Sum(line => Math.Max(1, (int)Math.Ceiling((double)line.Length / columns)));

    [GeneratedRegex(@"\e\[[0-9;]*m")]
    private static partial Regex Colour();
}
