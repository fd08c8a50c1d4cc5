using System.Security.Cryptography;
using System.Text;

namespace LoggingService.Erasure;

/// <summary>Replaces a user id, in any of its encodings, by another one from which nobody can tell it.</summary>
internal sealed class Pseudonym
{
    private readonly List<(byte[] From, byte[] To)> _replaced = [];

    /// <param name="pseudonym">ASCII that no encoding changes, but for <c>@</c> and <c>:</c>.</param>
    public Pseudonym(string user, string pseudonym)
    {
        foreach (var encode in (Func<string, string>[])
            [
                id => id,
                id => id.Replace("/", "\\/", StringComparison.Ordinal),
                id => $"\\u0040{id[1..]}",
                Uri.EscapeDataString,
                id => $"@{Uri.EscapeDataString(id[1..])}",
                id => Uri.EscapeDataString(id).Replace("%3A", "%3a", StringComparison.Ordinal),
                id => $"@{Uri.EscapeDataString(id[1..]).Replace("%3A", "%3a", StringComparison.Ordinal)}",
                JsonString.Encode,
            ])
        {
            var from = Encoding.UTF8.GetBytes(encode(user));
            if (!_replaced.Exists(other => other.From.AsSpan().SequenceEqual(from)))
            {
                _replaced.Add((from, Encoding.UTF8.GetBytes(encode(pseudonym))));
            }
        }
    }

    public static string Create() => $"@erased-{RandomNumberGenerator.GetHexString(12, lowercase: true)}:erased.invalid";

    public bool IsIn(ReadOnlySpan<byte> line)
    {
        foreach (var (from, _) in _replaced)
        {
            if (Find(line, from) >= 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The line with the pseudonym; <c>null</c> if it does not have the user id.</summary>
    public byte[]? Replace(ReadOnlySpan<byte> line)
    {
        byte[]? result = null;
        foreach (var (from, to) in _replaced)
        {
            for (int start = 0, found; (found = Find((result ?? line)[start..], from)) >= 0;)
            {
                start += found;
                var current = result ?? line;
                result = [.. current[..start], .. to, .. current[(start + from.Length)..]];
                start += to.Length;
            }
        }

        return result;
    }

    /// <summary>The text with the pseudonym.</summary>
    public string Replace(string text) => Replace(Encoding.UTF8.GetBytes(text)) is { } replaced ? Encoding.UTF8.GetString(replaced) : text;

    /// <summary>The first place of an id that doesn't go on: <c>@a:example.org</c> isn't in <c>@a:example.org.uk</c>.</summary>
    private static int Find(ReadOnlySpan<byte> line, byte[] id)
    {
        for (var start = 0; ;)
        {
            var found = line[start..].IndexOf(id);
            if (found < 0)
            {
                return -1;
            }

            start += found;
            if (!GoesOn(line[(start + id.Length)..]))
            {
                return start;
            }

            start += id.Length;
        }
    }

    private static bool GoesOn(ReadOnlySpan<byte> rest) => rest switch
    {
        [] => false,
        [(byte)'.' or (byte)'-', var next, ..] => IsAlphanumeric(next),
        [(byte)':', var next, ..] => next is >= (byte)'0' and <= (byte)'9',
        [var next, ..] => IsAlphanumeric(next),
    };

    private static bool IsAlphanumeric(byte c) =>
        c is (>= (byte)'0' and <= (byte)'9') or (>= (byte)'a' and <= (byte)'z') or (>= (byte)'A' and <= (byte)'Z');
}
