using System.Text.Json;
using LoggingService.Transactions;

namespace LoggingService.Lines;

/// <summary>
/// Reads what a line needs from an event's content and remembers whether anything was of a wrong type: such an event is
/// shown in the general form, whole, rather than as a sentence that leaves something out. A <c>null</c> is
/// missing, not wrong. (Servers check next to nothing in content: Client-Server API, "Instant Messaging".)
/// </summary>
internal sealed class TypeCheck
{
    /// <summary>Something that was asked for had a wrong type.</summary>
    public bool Failed { get; private set; }

    /// <summary>The string, or <c>null</c> where it is missing or wrong.</summary>
    public string? String(RawJson value) => Is(value, JsonValueKind.String) ? value.AsString() : null;

    /// <summary>The string, or <c>null</c> where it is missing, empty or wrong.</summary>
    public string? NonEmpty(RawJson value) => String(value) is { Length: > 0 } text ? text : null;

    /// <summary>The number, cut to a whole one, or <c>null</c> where it is missing or wrong.</summary>
    public long? Integer(RawJson value) => Is(value, JsonValueKind.Number) ? value.AsInteger() : null;

    /// <summary>The object; missing where it is missing or wrong.</summary>
    public RawJson Object(RawJson value) => Is(value, JsonValueKind.Object) ? value : default;

    /// <summary><c>true</c> or <c>false</c>; <c>null</c> where it is missing or wrong.</summary>
    public bool? Boolean(RawJson value) => value.AsBoolean() ?? (Is(value, JsonValueKind.True) ? true : null);

    /// <summary>The array's elements; none where it is missing or wrong.</summary>
    public List<RawJson> Items(RawJson value) => Is(value, JsonValueKind.Array) ? value.Items() : [];

    private bool Is(RawJson value, JsonValueKind kind)
    {
        var isIt = value.Kind == kind;
        Failed |= !isIt && value.Kind is not (JsonValueKind.Undefined or JsonValueKind.Null);
        return isIt;
    }
}
