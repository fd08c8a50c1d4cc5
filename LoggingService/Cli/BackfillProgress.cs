using System.Diagnostics;
using System.Globalization;
using LoggingService.History;
using LoggingService.Rendering;

namespace LoggingService.Cli;

/// <summary>Shows how far a backfill is: a bar on a terminal, otherwise a line now and then.</summary>
/// <param name="start">The job as it was when the command started.</param>
internal sealed class BackfillProgress(TextWriter output, bool isTerminal, BackfillJob start)
{
    private const int BarLength = 20;
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(10);
    private readonly long _startedAt = Stopwatch.GetTimestamp();
    private long _shownAt;
    private bool _isBarShown;

    /// <summary><c>1 event</c>, <c>12,345 events</c>.</summary>
    public static string Events(BackfillJob job) =>
        string.Create(CultureInfo.InvariantCulture, $"{job.Events:N0} event{(job.Events == 1 ? "" : "s")}");

    public void Show(BackfillJob job)
    {
        if (isTerminal)
        {
            // Erases what a longer line has left.
            output.Write($"\r{Bar(job.Progress ?? 0)} {Describe(job, Stopwatch.GetElapsedTime(_startedAt))}\x1b[K");
            output.Flush();
            _isBarShown = true;
        }
        else if (_shownAt == 0 || Stopwatch.GetElapsedTime(_shownAt) >= LineInterval)
        {
            _shownAt = Stopwatch.GetTimestamp();
            output.WriteLine(Describe(job, Stopwatch.GetElapsedTime(_startedAt)));
        }
    }

    /// <summary>Ends the line of the bar.</summary>
    public void End()
    {
        if (_isBarShown)
        {
            output.WriteLine();
        }
    }

    /// <summary>As in <c>48 %, 4,812 events, up to 2026-05-03, 1,250 events/s, about 2 min left</c>.</summary>
    public string Describe(BackfillJob job, TimeSpan elapsed)
    {
        var parts = new List<string>();
        if (job.Progress is not null)
        {
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{job.Progress * 100:0} %"));
        }

        parts.Add(Events(job));
        if (job.Reached is { } reached)
        {
            parts.Add($"up to {LogLine.TimeAt(reached, TimeZoneInfo.Local).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}");
        }

        if (job.Waiting is { } reason)
        {
            parts.Add($"waiting for the homeserver: {SafeText.Escape(reason)}");
            return string.Join(", ", parts);
        }

        if (elapsed > TimeSpan.Zero && job.Events > start.Events)
        {
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{(job.Events - start.Events) / elapsed.TotalSeconds:N0} events/s"));
        }

        var progress = job.Progress ?? 0;
        var done = progress - (start.Progress ?? 0);
        if (done > 0 && !job.IsDone)
        {
            parts.Add($"about {Span(elapsed * ((1 - progress) / done))} left");
        }

        return string.Join(", ", parts);
    }

    private static string Bar(double progress)
    {
        var filled = (int)Math.Round(progress * BarLength);
        return $"[{new string('#', filled)}{new string('-', BarLength - filled)}]";
    }

    private static string Span(TimeSpan span) => span switch
    {
        { TotalMinutes: < 1 } => $"{Math.Ceiling(span.TotalSeconds)} s",
        { TotalHours: < 1 } => $"{Math.Ceiling(span.TotalMinutes)} min",
        { TotalDays: < 10 } => $"{(int)span.TotalHours} h {span.Minutes} min",
        _ => $"{Math.Ceiling(span.TotalDays)} days",
    };
}
