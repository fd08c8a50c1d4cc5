using System.Text.Json;

namespace LoggingService.Events;

/// <summary>
/// Where a member of an object is, relative to the object's first byte. An event's content is searched for many names: noted in the pass
/// that checks the event, they are found without reading the content again.
/// </summary>
/// <param name="Name">Without its quotes.</param>
internal readonly record struct JsonMember(Range Name, Range Value)
{
    private const int MaxMembers = 16;

    /// <summary>
    /// Reads an object from its first token to its last. Returns its members in order; <c>null</c> if they are too many, or if a name
    /// contains an escape sequence.
    /// </summary>
    public static JsonMember[]? ReadAll(ref Utf8JsonReader reader)
    {
        Span<JsonMember> members = stackalloc JsonMember[MaxMembers];
        var count = 0;
        var start = reader.TokenStartIndex;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = (int)(reader.TokenStartIndex - start) + 1;
            var member = new JsonMember(name..(name + reader.ValueSpan.Length), default);
            var isNoted = !reader.ValueIsEscaped && count < MaxMembers;
            count = isNoted ? count : MaxMembers + 1;
            reader.Read();
            var value = (int)(reader.TokenStartIndex - start);
            reader.Skip();
            if (isNoted)
            {
                members[count] = member with { Value = value..(int)(reader.BytesConsumed - start) };
                count++;
            }
        }

        return count > MaxMembers ? null : members[..count].ToArray();
    }
}
