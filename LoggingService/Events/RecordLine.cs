using System.Buffers.Text;
using System.Text;
using System.Text.Unicode;

namespace LoggingService.Events;

/// <summary>
/// What the service writes at the end of a record line. That of an event that it fetched ends with
/// <c>,"fetched_ts":N,"received_ts":N}</c>, and that of an erased event with <c>,"received_ts":N,"erased":true}</c>, or with the id of a
/// redaction. No other line does, so that no sender can imitate one.
/// </summary>
internal static class RecordLine
{
    private static ReadOnlySpan<byte> FetchedKey => ",\"fetched_ts\":"u8;

    private static ReadOnlySpan<byte> ReceivedKey => ",\"received_ts\":"u8;

    private static ReadOnlySpan<byte> ErasedKey => ",\"erased\":"u8;

    /// <summary>The time in a line without its line break; <c>null</c> if the event was pushed.</summary>
    public static long? ReadFetchedTs(ReadOnlySpan<byte> line)
    {
        if (line.IsEmpty || line[^1] != '}')
        {
            return null;
        }

        var rest = line[..^1];
        _ = TakeErased(ref rest);
        return TakeNumber(ref rest, ReceivedKey) is not null ? TakeNumber(ref rest, FetchedKey) : null;
    }

    /// <summary>
    /// The key <c>erased</c> behind <c>received_ts</c>: the id of a redaction, or empty for <c>true</c>; <c>null</c> for a line without it,
    /// whatever its sender has set.
    /// </summary>
    public static string? ReadErasedBy(ReadOnlySpan<byte> line)
    {
        // The others end with a number.
        if (line.Length < 2 || line[^1] != '}' || char.IsAsciiDigit((char)line[^2]))
        {
            return null;
        }

        var rest = line[..^1];
        var value = TakeErased(ref rest);
        if (value.IsEmpty || TakeNumber(ref rest, ReceivedKey) is null)
        {
            return null;
        }

        return value[0] == '"' ? JsonString.Decode(value[1..^1]) : "";
    }

    /// <summary>Writes the key behind <c>received_ts</c>.</summary>
    /// <param name="erasedBy">As for <see cref="ReadErasedBy"/>.</param>
    public static void WriteErasedBy(Stream output, string erasedBy)
    {
        output.Write(ErasedKey);
        output.Write(erasedBy.Length == 0 ? "true"u8 : Encoding.ASCII.GetBytes($"\"{JsonString.Encode(erasedBy)}\""));
    }

    /// <summary>Writes the key behind the members of an event.</summary>
    /// <param name="json">The event: if its sender has set the key as the last one, a pushed event would look like a fetched one.</param>
    public static void WriteFetchedTs(Stream output, long? fetchedTs, ReadOnlySpan<byte> json)
    {
        if (fetchedTs is { } time)
        {
            Span<byte> key = stackalloc byte[48];
            Utf8.TryWrite(key, $",\"fetched_ts\":{time}", out var length);
            output.Write(key[..length]);
        }
        else if (EndsWithFetchedTs(json))
        {
            output.Write(FetchedKey);
            output.Write("null"u8);
        }
    }

    /// <summary>Whether the last member of an object is <c>"fetched_ts":N</c>, with any white space.</summary>
    private static bool EndsWithFetchedTs(ReadOnlySpan<byte> json)
    {
        var value = json[..^1].TrimEnd(" \t\r\n"u8);
        if (value.IsEmpty || !char.IsAsciiDigit((char)value[^1]))
        {
            return false;
        }

        var end = value.TrimEnd("-0123456789"u8).TrimEnd(" \t\r\n"u8);
        return end.EndsWith(":"u8) && end[..^1].TrimEnd(" \t\r\n"u8).EndsWith("\"fetched_ts\""u8);
    }

    /// <summary>Removes <c>,"erased":true</c>, or with a string, from the end; empty if it is not there.</summary>
    private static ReadOnlySpan<byte> TakeErased(ref ReadOnlySpan<byte> line)
    {
        // Quotes within the string are escaped as numbers.
        var start = line.EndsWith("true"u8) ? line.Length - "true".Length
            : line.EndsWith("\""u8) ? line[..^1].LastIndexOf((byte)'"')
            : -1;
        if (start < 0 || !line[..start].EndsWith(ErasedKey))
        {
            return [];
        }

        var value = line[start..];
        line = line[..(start - ErasedKey.Length)];
        return value;
    }

    /// <summary>Removes <c>,"key":N</c> from the end.</summary>
    private static long? TakeNumber(ref ReadOnlySpan<byte> line, ReadOnlySpan<byte> key)
    {
        var before = line.TrimEnd("0123456789"u8);
        if (!before.EndsWith(key) || !Utf8Parser.TryParse(line[before.Length..], out long number, out _))
        {
            return null;
        }

        line = before[..^key.Length];
        return number;
    }
}
