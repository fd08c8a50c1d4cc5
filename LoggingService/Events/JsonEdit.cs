using System.Text;
using System.Text.Json;

namespace LoggingService.Events;

/// <summary>
/// Copies of JSON in which some values are replaced; everything else stays byte for byte, but for white space between members.
/// </summary>
internal static class JsonEdit
{
    /// <summary>Returns the value of a member in the copy; no bytes leave the member out.</summary>
    /// <param name="name">Encoded, without its quotes.</param>
    public delegate ReadOnlyMemory<byte> EditMember(ReadOnlySpan<byte> name, RawJson value);

    /// <summary>A copy of an object; the bytes themselves if nothing was replaced.</summary>
    public static ReadOnlyMemory<byte> Members(RawJson json, EditMember edit)
    {
        using var copy = new MemoryStream();
        var isChanged = false;
        copy.WriteByte((byte)'{');
        for (var cursor = new JsonCursor(json.Bytes.Span); cursor.MoveNext();)
        {
            var name = cursor.ReadName();
            var value = json.Slice(cursor.ReadValue());
            var edited = edit(name, value);
            isChanged |= !edited.Equals(value.Bytes);
            if (!edited.IsEmpty)
            {
                copy.Write(copy.Length > 1 ? ",\""u8 : "\""u8);
                copy.Write(name);
                copy.Write("\":"u8);
                copy.Write(edited.Span);
            }
        }

        copy.WriteByte((byte)'}');
        return isChanged ? copy.ToArray() : json.Bytes;
    }

    /// <summary>A copy of a value with other strings at any level, up to a depth; names stay.</summary>
    public static ReadOnlyMemory<byte> Strings(RawJson json, Func<string, string> edit, int depth)
    {
        switch (json.Kind)
        {
            case JsonValueKind.String:
                var text = json.AsString()!;
                var edited = edit(text);
                return edited == text ? json.Bytes : Encoding.ASCII.GetBytes($"\"{JsonString.Encode(edited)}\"");
            case JsonValueKind.Object when depth > 0:
                return Members(json, (_, value) => Strings(value, edit, depth - 1));
            case JsonValueKind.Array when depth > 0:
                return Items(json, item => Strings(item, edit, depth - 1));
            default:
                return json.Bytes;
        }
    }

    /// <summary>A copy of an array with other items; the bytes themselves if nothing was replaced.</summary>
    public static ReadOnlyMemory<byte> Items(RawJson json, Func<RawJson, ReadOnlyMemory<byte>> edit)
    {
        var items = json.Items();
        var edited = items.ConvertAll(item => edit(item));
        if (items.Zip(edited).All(pair => pair.Second.Equals(pair.First.Bytes)))
        {
            return json.Bytes;
        }

        using var copy = new MemoryStream();
        copy.WriteByte((byte)'[');
        foreach (var item in edited)
        {
            copy.Write(copy.Length > 1 ? ","u8 : ""u8);
            copy.Write(item.Span);
        }

        copy.WriteByte((byte)']');
        return copy.ToArray();
    }
}
