using System.Globalization;
using System.Text;

namespace LoggingService.Pages;

/// <summary>
/// A server-sent event as it is written to all readers of a room, and the one that follows it. What all readers have passed is collected.
/// (HTML Standard, "Server-sent events".)
/// </summary>
internal sealed class LiveFrame(ReadOnlyMemory<byte> bytes, long number, bool isLast = false)
{
    private readonly TaskCompletionSource<LiveFrame> _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ReadOnlyMemory<byte> Bytes { get; } = bytes;

    public long Number { get; } = number;

    /// <summary>The stream ends here.</summary>
    public bool IsLast { get; } = isLast;

    public Task<LiveFrame> Next => _next.Task;

    public static byte[] Comment { get; } = ": \n\n"u8.ToArray();

    /// <summary>The room is not shown any more.</summary>
    public static byte[] Gone { get; } = Create("gone", null, "");

    public LiveFrame Append(ReadOnlyMemory<byte> bytes, bool isLast = false)
    {
        var next = new LiveFrame(bytes, Number + 1, isLast);
        _next.SetResult(next);
        return next;
    }

    /// <param name="position"><c>null</c> within what belongs together: only the last event of it has an id.</param>
    public static byte[] Create(string type, LivePosition? position, string data)
    {
        var frame = new StringBuilder(data.Length + 64);
        if (position is { } id)
        {
            frame.Append(CultureInfo.InvariantCulture, $"id: {id}\n");
        }

        frame.Append(CultureInfo.InvariantCulture, $"event: {type}\n");
        foreach (var line in data.ReplaceLineEndings("\n").Split('\n'))
        {
            frame.Append("data: ").Append(line).Append('\n');
        }

        return Encoding.UTF8.GetBytes(frame.Append('\n').ToString());
    }
}
