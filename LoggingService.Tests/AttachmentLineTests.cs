using LoggingService.Tests.Support;

namespace LoggingService.Tests;

public class AttachmentLineTests
{
    [Theory]
    [InlineData("""{"msgtype":"m.audio","body":"Voice message","filename":"v.ogg","info":{"mimetype":"audio/ogg"},"org.matrix.msc1767.audio":{"duration":61000,"waveform":[1]},"org.matrix.msc3245.voice":{}}""", "<@bob:x, voice v.ogg, 1:01> Voice message")]
    [InlineData("""{"msgtype":"m.audio","body":"a.ogg","info":{"duration":2000},"org.matrix.msc1767.audio":{"duration":61000}}""", "<@bob:x, audio a.ogg, 0:02>")]
    [InlineData("""{"msgtype":"m.image","body":"cat.png","filename":"cat.png","url":"mxc://x/a"}""", "<@bob:x, image cat.png, mxc://x/a>")]
    [InlineData("""{"msgtype":"m.image","body":"","filename":"cat.png"}""", "<@bob:x, image cat.png>")]
    [InlineData("""{"msgtype":"m.image","body":"look, cat","filename":"cat.png","format":"org.matrix.custom.html","formatted_body":"<span data-mx-spoiler>look</span>"}""", "<@bob:x, image cat.png> look, cat")]
    [InlineData("""{"msgtype":"m.file","body":"a.pdf","file":{"url":"mxc://x/a","key":{}}}""", "<@bob:x, file a.pdf, mxc://x/a>")]
    [InlineData("""{"msgtype":"m.location","body":"Malmö","org.matrix.msc3488.location":{"uri":"geo:55.6,13.0;u=35","description":"here"}}""", "<@bob:x, location 55.6,13.0;u=35> Malmö")]
    [InlineData("""{"msgtype":"m.location","body":"Malmö","geo_uri":"geo:1,2","m.location":{"uri":"geo:3,4"}}""", "<@bob:x, location 1,2> Malmö")]
    [InlineData("""{"msgtype":"m.location","body":"Malmö"}""", "<@bob:x, location> Malmö")]
    public void What_is_known_of_a_file_or_place_stands_in_the_head_and_its_caption_after_it(string content, string line) =>
        Assert.Equal(line, LineOf.Bobs("m.room.message", content));

    [Theory]
    [InlineData("""{"msgtype":"m.audio","body":"a","org.matrix.msc1767.audio":{"duration":"1"}}""")]
    [InlineData("""{"msgtype":"m.image","body":"a","filename":1}""")]
    [InlineData("""{"msgtype":"m.image","body":"a","file":"mxc://x/a"}""")]
    [InlineData("""{"msgtype":"m.location","body":"a","org.matrix.msc3488.location":[]}""")]
    public void A_file_or_place_of_another_shape_is_shown_as_it_is(string content) =>
        Assert.Equal($"*** @bob:x m.room.message {content}", LineOf.Bobs("m.room.message", content));
}
