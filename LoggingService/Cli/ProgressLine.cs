using System.Diagnostics;
using System.Globalization;

namespace LoggingService.Cli;

/// <summary>
/// The progress of a command on standard error: on a terminal one line with a bar that is written over, elsewhere a line every ten seconds.
/// </summary>
/// <param name="noun">What is counted, in the plural.</param>
internal sealed class ProgressLine(long total, string noun)
{
    private const int BarLength = 30;
    private static readonly TimeSpan TerminalInterval = TimeSpan.FromSeconds(0.1);
    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(10);
    private readonly bool _isTerminal = !Console.IsErrorRedirected;
    private readonly long _startedAt = Stopwatch.GetTimestamp();
    private long _writtenAt = Stopwatch.GetTimestamp();
    private bool _isOpen;

    public void Report(long done)
    {
        if (Stopwatch.GetElapsedTime(_writtenAt) < (_isTerminal ? TerminalInterval : PlainInterval))
        {
            return;
        }

        _writtenAt = Stopwatch.GetTimestamp();
        var text = Describe(done, Stopwatch.GetElapsedTime(_startedAt));
        if (_isTerminal)
        {
            Console.Error.Write($"\r{text}\u001b[K");
            _isOpen = true;
        }
        else
        {
            Console.Error.WriteLine(text);
        }
    }

    /// <summary>Removes the bar from the terminal.</summary>
    public void Clear()
    {
        if (_isOpen)
        {
            Console.Error.Write("\r\u001b[K");
            _isOpen = false;
        }
    }

    private string Describe(long done, TimeSpan elapsed)
    {
        var share = total == 0 ? 1 : Math.Min(1, (double)done / total);
        var rate = done / Math.Max(elapsed.TotalSeconds, 0.001);
        var left = rate > 0 ? TimeSpan.FromSeconds(Math.Min((total - done) / rate, 1e6)) : TimeSpan.Zero;
        var bar = _isTerminal
            ? $"[{new string('#', (int)(share * BarLength)).PadRight(BarLength, '.')}] "
            : "";
        return string.Create(CultureInfo.InvariantCulture, $"{bar}{done} of {total} {noun}, {rate:0.#}/s, {left:hh\\:mm\\:ss} left");
    }
}
