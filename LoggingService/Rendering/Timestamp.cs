using System.Globalization;
using System.Text;

namespace LoggingService.Rendering;

/// <summary>The start of a line, <c>2026-11-23 19:20:11 +00:00 </c>. Events often share a second, so the last one is kept.</summary>
internal sealed class Timestamp
{
    /// <summary>The length of <see cref="Text"/> in bytes.</summary>
    public const int Length = 27;

    private const string Format = "yyyy-MM-dd HH:mm:ss zzz ";

    [ThreadStatic]
    private static Timestamp? t_last;

    private readonly long _second;
    private readonly TimeZoneInfo _zone;
    private readonly LineBuffer _text = new(Length);

    private Timestamp(long second, TimeZoneInfo zone)
    {
        _second = second;
        _zone = zone;
        Time = TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeSeconds(second), zone);
        _text.AppendFormatted(Time, Format);
    }

    /// <summary>Without the fraction of the second.</summary>
    public DateTimeOffset Time { get; }

    public ReadOnlySpan<byte> Text => _text.Written;

    /// <param name="milliseconds">Since 1970; valid in any zone.</param>
    public static Timestamp Get(long milliseconds, TimeZoneInfo zone)
    {
        var second = DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).ToUnixTimeSeconds();
        var last = t_last;
        if (last is null || last._second != second || last._zone != zone)
        {
            last = new(second, zone);
            t_last = last;
        }

        return last;
    }

    /// <summary>The time at the start of a line of text, with the offset of its zone; <c>null</c> if the line has none.</summary>
    public static DateTimeOffset? Parse(ReadOnlySpan<byte> line) => DateTimeOffset.TryParseExact(
        Encoding.UTF8.GetString(line[..Math.Min(line.Length, Length)]),
        Format,
        CultureInfo.InvariantCulture,
        DateTimeStyles.None,
        out var time)
        ? time
        : null;
}
