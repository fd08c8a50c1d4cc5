using System.Text.Json;
using LoggingService.Events;

namespace LoggingService.Rendering;

/// <summary>
/// Reads what a line needs from an event's content and remembers whether anything was of a wrong type: such an event is
/// shown in the general form, whole, rather than as a sentence that leaves something out. A <c>null</c> is
/// missing, not wrong. (Servers check next to nothing in content: Client-Server API, "Instant Messaging".)
/// </summary>
internal sealed class TypeCheck
{
    /// <summary>Something that was asked for had a wrong type.</summary>
    public bool Failed { get; private set; }

    /// <summary>The value is neither missing nor <c>null</c>.</summary>
    public static bool IsPresent(RawJson value) => value.Kind is not (JsonValueKind.Undefined or JsonValueKind.Null);

    /// <summary>The value under the name that is in the specification, or else under the one from before.</summary>
    public static RawJson StableOrUnstable(RawJson stable, RawJson unstable) => IsPresent(stable) ? stable : unstable;

    /// <summary>The string, or <c>null</c> where it is missing or wrong.</summary>
    public string? String(RawJson value) => HasKind(value, JsonValueKind.String) ? value.AsString() : null;

    /// <summary>The string, or <c>null</c> where it is missing, empty or wrong.</summary>
    public string? NonEmpty(RawJson value) => String(value) is { Length: > 0 } text ? text : null;

    /// <summary>The number, cut to a whole one, or <c>null</c> where it is missing or wrong.</summary>
    public long? Integer(RawJson value) => HasKind(value, JsonValueKind.Number) ? value.AsInteger() : null;

    /// <summary>The object; missing where it is missing or wrong.</summary>
    public RawJson Object(RawJson value) => HasKind(value, JsonValueKind.Object) ? value : default;

    /// <summary><c>true</c> or <c>false</c>, or <c>null</c> where it is missing or wrong.</summary>
    public bool? Boolean(RawJson value) => value.AsBoolean() ?? (HasKind(value, JsonValueKind.True) ? true : null);

    /// <summary>The array's elements; none where it is missing or wrong.</summary>
    public List<RawJson> Items(RawJson value) => HasKind(value, JsonValueKind.Array) ? value.Items() : [];

    /// <summary>The array's strings; none where it is missing or wrong, or where one of them is.</summary>
    public List<string> Strings(RawJson value)
    {
        var strings = new List<string>();
        foreach (var item in Items(value))
        {
            Failed |= item.Kind != JsonValueKind.String;
            strings.Add(item.AsString() ?? "");
        }

        return Failed ? [] : strings;
    }

    /// <summary>
    /// What a content says, of this event or of the one that it replaced; <c>null</c> where it is no object, where
    /// <paramref name="read"/> finds that it says nothing, or where anything that was read has a wrong type.
    /// </summary>
    public static T? Read<T>(RawJson content, Func<RawJson, TypeCheck, T?> read)
        where T : class
    {
        var types = new TypeCheck();
        var said = content.Kind == JsonValueKind.Object ? read(content, types) : null;
        return types.Failed ? null : said;
    }

    private bool HasKind(RawJson value, JsonValueKind kind)
    {
        var matches = value.Kind == kind;
        Failed |= !matches && IsPresent(value);
        return matches;
    }
}
