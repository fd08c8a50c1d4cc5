using System.Buffers.Text;
using System.Text.Unicode;

namespace LoggingService.Events;

/// <summary>
/// The key <c>fetched_ts</c> of the record line of an event that the service fetched. Such a line ends with
/// <c>,"fetched_ts":N,"received_ts":N}</c>, and no other does, so that no sender can imitate one.
/// </summary>
internal static class RecordLine
{
    private static ReadOnlySpan<byte> FetchedKey => ",\"fetched_ts\":"u8;

    private static ReadOnlySpan<byte> ReceivedKey => ",\"received_ts\":"u8;

    /// <summary>The time in a line without its line break; <c>null</c> if the event was pushed.</summary>
    public static long? ReadFetchedTs(ReadOnlySpan<byte> line)
    {
        if (line.IsEmpty || line[^1] != '}')
        {
            return null;
        }

        var rest = line[..^1];
        return TakeNumber(ref rest, ReceivedKey) is not null ? TakeNumber(ref rest, FetchedKey) : null;
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
