using LoggingService.Tests.Support;

namespace LoggingService.Tests;

public class AttachmentLineTests
{
    [Theory]
    [InlineData(
        """{"msgtype":"m.audio","body":"Voice message","filename":"v.ogg","info":{"mimetype":"audio/ogg"},"org.matrix.msc1767.audio":"""
            + """{"duration":61000,"waveform":[1]},"org.matrix.msc3245.voice":{}}""",
        "<@bob:x, voice v.ogg, 1:01> Voice message")]
    [InlineData(
        """{"msgtype":"m.image","body":"cat.png","url":"mxc://x/a","info":{"w":640,"h":480,"size":66540}}""",
        "<@bob:x, image cat.png, 640×480, 66.5 KB, mxc://x/a>")]
    [InlineData("""{"msgtype":"m.image","body":"","file":{"url":"mxc://x/a"}}""", "<@bob:x, image, mxc://x/a>")]
    [InlineData("""{"msgtype":"m.file","body":"report, final.pdf","info":{"size":99}}""", "<@bob:x, file \"report, final.pdf\", 99 B>")]
    [InlineData(
        """{"msgtype":"m.audio","body":"song.ogg","info":{"duration":201000,"size":3100000}}""", "<@bob:x, audio song.ogg, 3:21, 3.1 MB>")]
    [InlineData(
        """{"msgtype":"m.audio","body":"click.ogg","info":{"duration":999},"org.matrix.msc3245.voice":null}""",
        "<@bob:x, audio click.ogg, 0:01>")]
    [InlineData("""{"msgtype":"m.audio","body":"v.ogg","m.voice":{}}""", "<@bob:x, voice v.ogg>")]
    [InlineData(
        """{"msgtype":"m.video","body":"clip.mp4","info":{"duration":3723000,"w":1,"h":2,"size":1000000}}""",
        "<@bob:x, video clip.mp4, 1×2, 1:02:03, 1 MB>")]
    [InlineData("""{"msgtype":"m.location","body":"Malmö","geo_uri":"geo:55.6,13.0"}""", "<@bob:x, location 55.6,13.0> Malmö")]
    [InlineData(
        """{"msgtype":"m.audio","body":"a.ogg","info":{"duration":2000},"org.matrix.msc1767.audio":{"duration":61000}}""",
        "<@bob:x, audio a.ogg, 0:02>")]
    [InlineData("""{"msgtype":"m.image","body":"cat.png","filename":"cat.png","url":"mxc://x/a"}""", "<@bob:x, image cat.png, mxc://x/a>")]
    [InlineData("""{"msgtype":"m.image","body":"","filename":"cat.png"}""", "<@bob:x, image cat.png>")]
    [InlineData(
        """{"msgtype":"m.image","body":"look, cat","filename":"cat.png","format":"org.matrix.custom.html","formatted_body":"<span data-mx"""
            + """-spoiler>look</span>"}""",
        "<@bob:x, image cat.png> look, cat")]
    [InlineData("""{"msgtype":"m.file","body":"a.pdf","file":{"url":"mxc://x/a","key":{}}}""", "<@bob:x, file a.pdf, mxc://x/a>")]
    [InlineData(
        """{"msgtype":"m.location","body":"Malmö","org.matrix.msc3488.location":{"uri":"geo:55.6,13.0;u=35","description":"here"}}""",
        "<@bob:x, location 55.6,13.0;u=35> Malmö")]
    [InlineData(
        """{"msgtype":"m.location","body":"Malmö","geo_uri":"geo:1,2","m.location":{"uri":"geo:3,4"}}""", "<@bob:x, location 1,2> Malmö")]
    [InlineData("""{"msgtype":"m.location","body":"Malmö"}""", "<@bob:x, location> Malmö")]
    public void The_head_shows_the_details_of_a_file_or_location_and_the_caption_follows(string content, string line) =>
        Assert.Equal(line, LineOf.Bobs("m.room.message", content));

    [Fact]
    public void A_sticker_is_named_by_its_body() =>
        Assert.Equal(
            "<@bob:x, sticker \"Party parrot\", 128×128, mxc://x/a>",
            LineOf.Bobs("m.sticker", """{"body":"Party parrot","info":{"w":128,"h":128},"url":"mxc://x/a"}"""));

    [Theory]
    [InlineData("""{"msgtype":"m.audio","body":"a","org.matrix.msc1767.audio":{"duration":"1"}}""", "<@bob:x, audio \"a\">")]
    [InlineData("""{"msgtype":"m.image","body":"a.png","filename":1}""", "<@bob:x, image a.png>")]
    [InlineData("""{"msgtype":"m.image","body":"a.png","file":"mxc://x/a"}""", "<@bob:x, image a.png>")]
    [InlineData("""{"msgtype":"m.image","body":"a.png","info":[],"url":"mxc://x/a"}""", "<@bob:x, image a.png, mxc://x/a>")]
    [InlineData(
        """{"msgtype":"m.image","body":"a.png","info":{"w":"640","h":480,"size":99},"url":{}}""", "<@bob:x, image a.png, 99 B>")]
    [InlineData("""{"msgtype":"m.location","body":"a","org.matrix.msc3488.location":[]}""", "<@bob:x, location> a")]
    [InlineData("""{"msgtype":"m.location","body":"a","geo_uri":1}""", "<@bob:x, location> a")]
    public void A_detail_of_the_wrong_type_is_omitted(string content, string line) =>
        Assert.Equal(line, LineOf.Bobs("m.room.message", content));

    [Theory]
    [InlineData(
        """{"msgtype":"m.gallery","body":"","itemtypes":[{"itemtype":"m.video","body":"my cat","filename":"c.mp4","info":{"size":"9"}}]}""",
        "<@bob:x, gallery of 1 file: video c.mp4, \"my cat\">")]
    [InlineData(
        """{"msgtype":"dm.filament.gallery","body":"x","itemtypes":[{"itemtype":"m.table","body":"a.csv"},{"body":"b.csv"}]}""",
        "<@bob:x, gallery of 2 files: of type \"m.table\" a.csv; of no type b.csv> x")]
    [InlineData("""{"msgtype":"m.gallery","body":"x"}""", "<@bob:x, gallery of 0 files> x")]
    public void A_gallery_shows_each_of_its_files(string content, string line) =>
        Assert.Equal(line, LineOf.Bobs("m.room.message", content));

    [Fact]
    public void A_gallery_is_quoted_by_its_caption() =>
        Assert.Equal(
            "*** @bob:x reacted \"👍\" to @alice:x 19:20:11 gallery \"Holiday\"",
            LineOf.Bobs(
                "m.reaction", """{"m.relates_to":{"rel_type":"m.annotation","event_id":"$theirs","key":"👍"}}""",
                LineOf.Event("@alice:x", "m.room.message", """{"msgtype":"dm.filament.gallery","body":"Holiday","itemtypes":[]}""")));
}
