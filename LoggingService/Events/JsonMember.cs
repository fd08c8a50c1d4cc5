using System.Runtime.CompilerServices;
using System.Text.Json;

namespace LoggingService.Events;

/// <summary>
/// Where a member of an object is, relative to the object's first byte. An event's content is searched for many names: noted in the pass
/// that checks the event, they are found without reading the content again.
/// </summary>
/// <param name="Name">Without its quotes.</param>
/// <param name="Members">The members of a value that is an object, relative to its first byte, if they were noted.</param>
internal readonly record struct JsonMember(Range Name, Range Value, JsonMember[]? Members)
{
    private const int MaxMembers = 16;

    /// <summary>
    /// Reads an object from its first token to its last. Returns its members in order; <c>null</c> if they are too many, or if a name
    /// contains an escape sequence.
    /// </summary>
    /// <param name="levels">How many levels of objects within this one are noted, too.</param>
    public static JsonMember[]? ReadAll(ref Utf8JsonReader reader, int levels)
    {
        var members = default(Buffer);
        var count = 0;
        var start = reader.TokenStartIndex;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = (int)(reader.TokenStartIndex - start) + 1;
            var nameEnd = name + reader.ValueSpan.Length;
            var isNoted = !reader.ValueIsEscaped && count < MaxMembers;
            reader.Read();
            var value = (int)(reader.TokenStartIndex - start);
            var nested = levels > 0 && reader.TokenType == JsonTokenType.StartObject ? ReadAll(ref reader, levels - 1) : null;

            // Does nothing at the end of an object.
            reader.Skip();
            if (isNoted)
            {
                members[count] = new(name..nameEnd, value..(int)(reader.BytesConsumed - start), nested);
                count++;
            }
            else
            {
                count = MaxMembers + 1;
            }
        }

        return count > MaxMembers ? null : members[..count].ToArray();
    }

    [InlineArray(MaxMembers)]
    private struct Buffer
    {
        private JsonMember _first;
    }
}
