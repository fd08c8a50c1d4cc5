namespace LoggingService.Rendering;

/// <summary>The lines of a live location, <c>m.beacon_info</c> and <c>m.beacon</c>. (MSC3672, MSC3489; MSC3488 for locations.)</summary>
internal static class LiveLocationLine
{
    /// <summary><c>*** @bob:example.org started sharing their live location for 15 minutes: "on my bike"</c></summary>
    public static bool Info(RenderContext context) => context.IsOwnState && context.Sentence(static (content, types) =>
    {
        var timeout = new TypeCheck().Integer(content["timeout"u8]);
        var duration = timeout > 0 ? $" for {DescribeDuration(timeout.Value)}" : Phrase.None;
        var description = SafeText.QuotedSuffix(types.NonEmpty(content["description"u8]));
        return types.Boolean(content["live"u8]) switch
        {
            true => $"started sharing their live location{duration}{description}",
            false => "stopped sharing their live location"u8,
            null => Phrase.None,
        };
    });

    /// <summary><c>&lt;@bob:example.org, live location 55.6,13.0&gt;</c></summary>
    public static bool Location(RenderContext context) => MessageLine.Render(context, static (_, relation, _, _) =>
        Attachment.Coordinates(relation.Content) is { } coordinates
            ? MessageContent.Plain(Attachment.LocationName(relation.Content) ?? default, $"live {coordinates}")
            : null);

    private static Phrase DescribeDuration(long milliseconds) => (milliseconds / 1000) switch
    {
        var seconds when seconds >= 3600 && seconds % 3600 == 0 => Prose.Pluralize(seconds / 3600, "hour"u8),
        var seconds when seconds >= 60 => Prose.Pluralize(seconds / 60, "minute"u8),
        var seconds => Prose.Pluralize(seconds, "second"u8),
    };
}
