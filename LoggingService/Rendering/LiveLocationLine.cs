namespace LoggingService.Rendering;

/// <summary>The lines of a live location, <c>m.beacon_info</c> and <c>m.beacon</c>. (MSC3672, MSC3489; MSC3488 for locations.)</summary>
internal static class LiveLocationLine
{
    /// <summary><c>*** @bob:example.org started sharing their live location for 15 minutes: "on my bike"</c></summary>
    public static string? Info(RenderContext context) => !context.IsOwnState ? null : context.Sentence(static (content, types) =>
    {
        var timeout = types.Integer(content["timeout"u8]);
        var duration = timeout > 0 ? $" for {DescribeDuration(timeout.Value)}" : "";
        var description = SafeText.QuotedSuffix(types.NonEmpty(content["description"u8]));
        return types.Boolean(content["live"u8]) switch
        {
            true => $"started sharing their live location{duration}{description}",
            false => "stopped sharing their live location",
            null => null,
        };
    });

    /// <summary><c>&lt;@bob:example.org, live location 55.6,13.0&gt;</c></summary>
    public static string? Location(RenderContext context) => MessageLine.Render(context, static (relation, _, types) =>
    {
        var coordinates = Attachment.Coordinates(relation.Content, types);
        return coordinates is null
            ? null
            : MessageContent.Plain(Attachment.LocationName(relation.Content, types) ?? "", $"live {coordinates}");
    });

    private static string DescribeDuration(long milliseconds) => (milliseconds / 1000) switch
    {
        var seconds when seconds >= 3600 && seconds % 3600 == 0 => Prose.Pluralize(seconds / 3600, "hour"),
        var seconds when seconds >= 60 => Prose.Pluralize(seconds / 60, "minute"),
        var seconds => Prose.Pluralize(seconds, "second"),
    };
}
