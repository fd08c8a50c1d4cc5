using System.Text.Json;

namespace LoggingService.Rendering;

/// <summary>
/// Reads values of an event's content and remembers whether any was of the wrong type. Such an event is shown by the
/// fallback, as a whole, instead of by a sentence that omits something. A <c>null</c> counts as missing, not as wrong.
/// (Servers validate next to nothing of the content: Client-Server API, "Instant Messaging".)
/// </summary>
internal sealed class TypeCheck
{
    /// <summary>A value that was read had the wrong type.</summary>
    public bool Failed { get; private set; }

    public static bool IsPresent(RawJson value) => value.Kind is not (JsonValueKind.Undefined or JsonValueKind.Null);

    /// <summary>The value under the stable name, or else the one under the unstable name.</summary>
    public static RawJson StableOrUnstable(RawJson stable, RawJson unstable) => IsPresent(stable) ? stable : unstable;

    /// <summary><c>null</c> if missing or wrong, as for the others below.</summary>
    public Utf8Text? String(RawJson value) => HasKind(value, JsonValueKind.String) ? value.AsText() : null;

    public bool IsString(RawJson value, ReadOnlySpan<byte> text) => HasKind(value, JsonValueKind.String) && value.IsString(text);

    public Utf8Text? NonEmpty(RawJson value) => String(value) is { Length: > 0 } text ? text : null;

    public long? Integer(RawJson value) => HasKind(value, JsonValueKind.Number) ? value.AsInteger() : null;

    public RawJson Object(RawJson value) => HasKind(value, JsonValueKind.Object) ? value : default;

    public bool? Boolean(RawJson value) => value.AsBoolean() ?? (HasKind(value, JsonValueKind.True) ? true : null);

    public List<RawJson> Items(RawJson value) => HasKind(value, JsonValueKind.Array) ? value.Items() : [];

    /// <summary>The strings of an array; none if one of the elements is wrong.</summary>
    public List<Utf8Text> Strings(RawJson value)
    {
        var items = Items(value);
        Failed |= items.Exists(static item => item.Kind != JsonValueKind.String);
        return Failed ? [] : items.ConvertAll(static item => item.AsText()!.Value);
    }

    /// <summary>The result of <paramref name="read"/>; <c>null</c> if the content is not an object or a value has the wrong type.</summary>
    public static T? Read<T>(RawJson content, Func<RawJson, TypeCheck, T?> read) where T : class
    {
        var types = new TypeCheck();
        var result = content.Kind == JsonValueKind.Object ? read(content, types) : null;
        return types.Failed ? null : result;
    }

    private bool HasKind(RawJson value, JsonValueKind kind)
    {
        var matches = value.Kind == kind;
        Failed |= !matches && IsPresent(value);
        return matches;
    }
}
